'use client'

import { useCallback, useEffect, useState, type ReactNode } from 'react'
import { callApi, describeError, type Task } from './api.ts'
import { Chat } from './Chat.tsx'
import { Tasks } from './Tasks.tsx'

/** What a person sees after signing in: the list, and the chat that changes the same list. */
export function Desk({ email }: Readonly<{ email: string }>): ReactNode {
  const [tasks, setTasks] = useState<readonly Task[]>()
  const [problem, setProblem] = useState('')

  const refresh = useCallback(async () => {
    try {
      setTasks(await callApi<Task[]>('GET', '/tasks'))
      setProblem('')
    } catch (error) {
      setProblem(describeError(error))
    }
  }, [])

  useEffect(() => {
    void refresh()
  }, [refresh])

  const change = useCallback(
    async (method: string, path: string, body?: unknown) => {
      try {
        await callApi(method, path, body)
        await refresh()
      } catch (error) {
        setProblem(describeError(error))
      }
    },
    [refresh],
  )

  async function signOut(): Promise<void> {
    await callApi('POST', '/auth/sign-out').catch(() => undefined)
    window.location.reload()
  }

  return (
    <>
      <header className="bar">
        <p className="brand">Todo</p>
        <p className="who">{email}</p>
        <button className="quiet" onClick={() => void signOut()}>
          Sign out
        </button>
      </header>
      <main className="desk">
        <Tasks tasks={tasks} problem={problem} change={change} />
        <Chat onAnswer={refresh} />
      </main>
    </>
  )
}
