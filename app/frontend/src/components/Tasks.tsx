'use client'

import { useState, type ReactNode } from 'react'
import type { Task } from './api.ts'

type Change = (method: string, path: string, body?: unknown) => Promise<void>

interface Props {
  readonly tasks: readonly Task[] | undefined
  readonly problem: string
  readonly change: Change
}

export function Tasks({ tasks, problem, change }: Props): ReactNode {
  const [title, setTitle] = useState('')
  const open = tasks?.filter((task) => !task.completed).length ?? 0

  return (
    <section className="card tasks" aria-labelledby="tasks-title">
      <div className="card-head">
        <h2 id="tasks-title">Tasks</h2>
        {tasks && <p className="count">{open === 0 ? 'all done' : `${String(open)} open`}</p>}
      </div>
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault()
          if (title.trim() === '') return
          setTitle('')
          void change('POST', '/tasks', { title })
        }}
      >
        <input
          value={title}
          onChange={(event) => {
            setTitle(event.target.value)
          }}
          placeholder="What is to be done?"
          aria-label="New task"
          maxLength={200}
        />
        <button className="primary">Add</button>
      </form>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      {tasks?.length === 0 && <p className="empty">Nothing to do. Add a task, or ask the chat.</p>}
      <ul>
        {tasks?.map((task) => (
          <TaskRow key={task.id} task={task} change={change} />
        ))}
      </ul>
    </section>
  )
}

function TaskRow({ task, change }: Readonly<{ task: Task; change: Change }>): ReactNode {
  const path = `/tasks/${String(task.id)}`
  return (
    <li className={task.completed ? 'task done' : 'task'}>
      <label>
        <input
          type="checkbox"
          checked={task.completed}
          onChange={() => void change('PATCH', `${path}/complete`, { completed: !task.completed })}
        />
        <span>
          {task.title}
          {task.description && <small>{task.description}</small>}
        </span>
      </label>
      <span className="number" title="The number to use in the chat">
        {task.id}
      </span>
      <button
        className="quiet remove"
        aria-label={`Delete ${task.title}`}
        onClick={() => void change('DELETE', path)}
      >
        ×
      </button>
    </li>
  )
}
