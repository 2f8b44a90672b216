'use client'

import { useState, type ReactNode, type SubmitEvent } from 'react'
import { callApi, describeError } from './api.ts'

type Mode = 'sign-in' | 'sign-up'

const WORDS = {
  'sign-in': { title: 'Welcome back', button: 'Sign in', other: 'I have no account yet' },
  'sign-up': { title: 'Make an account', button: 'Sign up', other: 'I have an account already' },
} as const

export function SignIn(): ReactNode {
  const [mode, setMode] = useState<Mode>('sign-in')
  const [problem, setProblem] = useState('')
  const [isBusy, setBusy] = useState(false)
  const words = WORDS[mode]

  async function submit(form: FormData): Promise<void> {
    setBusy(true)
    setProblem('')
    try {
      await callApi('POST', `/auth/${mode}`, {
        email: form.get('email'),
        password: form.get('password'),
      })
      window.location.reload()
    } catch (error) {
      setProblem(describeError(error))
      setBusy(false)
    }
  }

  return (
    <main className="door">
      <form
        className="card door-card"
        onSubmit={(event: SubmitEvent<HTMLFormElement>) => {
          event.preventDefault()
          void submit(new FormData(event.currentTarget))
        }}
      >
        <p className="brand">Todo</p>
        <h1>{words.title}</h1>
        <label>
          E-mail
          <input name="email" type="email" autoComplete="username" required autoFocus />
        </label>
        <label>
          Password
          <input
            name="password"
            type="password"
            minLength={8}
            maxLength={128}
            autoComplete={mode === 'sign-in' ? 'current-password' : 'new-password'}
            required
          />
        </label>
        {problem && (
          <p className="problem" role="alert">
            {problem}
          </p>
        )}
        <button className="primary" disabled={isBusy}>
          {isBusy ? 'One moment…' : words.button}
        </button>
        <button
          type="button"
          className="quiet"
          onClick={() => {
            setMode(mode === 'sign-in' ? 'sign-up' : 'sign-in')
            setProblem('')
          }}
        >
          {words.other}
        </button>
      </form>
    </main>
  )
}
