'use client'

import { useEffect, useRef, useState, type ReactNode } from 'react'
import { callApi, describeError, type ChatAnswer, type Message } from './api.ts'

const EXAMPLES = ['add buy milk', 'list my tasks', 'complete buy milk']

export function Chat({ onAnswer }: Readonly<{ onAnswer: () => Promise<void> }>): ReactNode {
  const [messages, setMessages] = useState<readonly Message[]>([])
  const [conversation, setConversation] = useState<string>()
  const [draft, setDraft] = useState('')
  const [problem, setProblem] = useState('')
  const [isBusy, setBusy] = useState(false)
  const end = useRef<HTMLDivElement>(null)

  useEffect(() => {
    void loadLastConversation().then((last) => {
      if (last === undefined) return
      setConversation(last.id)
      setMessages(last.messages)
    })
  }, [])

  useEffect(() => {
    end.current?.scrollIntoView({ block: 'nearest' })
  }, [messages, isBusy])

  async function send(message: string): Promise<void> {
    setBusy(true)
    setProblem('')
    setDraft('')
    try {
      const question = { message, conversation_id: conversation }
      const answer = await callApi<ChatAnswer>('POST', '/chat', question)
      setConversation(answer.conversation_id)
      setMessages((past) => [
        ...past,
        { role: 'user', content: message },
        { role: 'assistant', content: answer.reply },
      ])
      await onAnswer()
    } catch (error) {
      // What was written comes back into the box, so that nobody has to write it twice.
      setDraft(message)
      setProblem(describeError(error))
    } finally {
      setBusy(false)
    }
  }

  return (
    <section className="card chat" aria-labelledby="chat-title">
      <div className="card-head">
        <h2 id="chat-title">Chat</h2>
      </div>
      <div className="talk" aria-live="polite">
        {messages.length === 0 && !isBusy && (
          <Examples
            choose={(example) => {
              void send(example)
            }}
          />
        )}
        {messages.map((message, at) => (
          <p key={at} className={`bubble ${message.role}`}>
            {message.content}
          </p>
        ))}
        {isBusy && <p className="bubble assistant thinking">…</p>}
        <div ref={end} />
      </div>
      {problem && (
        <p className="problem" role="alert">
          {problem}
        </p>
      )}
      <form
        className="row"
        onSubmit={(event) => {
          event.preventDefault()
          if (draft.trim() !== '' && !isBusy) void send(draft.trim())
        }}
      >
        <input
          value={draft}
          onChange={(event) => {
            setDraft(event.target.value)
          }}
          placeholder="Tell me what to do"
          aria-label="Message"
          maxLength={4000}
        />
        <button className="primary" disabled={isBusy}>
          Send
        </button>
      </form>
    </section>
  )
}

function Examples({ choose }: Readonly<{ choose: (example: string) => void }>): ReactNode {
  return (
    <div className="empty">
      <p>Ask in your own words, for example:</p>
      {EXAMPLES.map((example) => (
        <button
          key={example}
          className="quiet"
          onClick={() => {
            choose(example)
          }}
        >
          “{example}”
        </button>
      ))}
    </div>
  )
}

interface Conversation {
  readonly id: string
  readonly messages: readonly Message[]
}

/** Returns the conversation to go on with; a chat that cannot be loaded simply begins anew. */
async function loadLastConversation(): Promise<Conversation | undefined> {
  try {
    const [last] = await callApi<readonly { id: string }[]>('GET', '/conversations')
    if (last === undefined) return undefined
    const path = `/conversations/${last.id}/messages`
    return { id: last.id, messages: await callApi<Message[]>('GET', path) }
  } catch {
    return undefined
  }
}
