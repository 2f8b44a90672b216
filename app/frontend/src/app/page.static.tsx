'use client'

import { useSyncExternalStore, type ReactNode } from 'react'
import { Desk } from '../components/Desk.tsx'
import { SignIn } from '../components/SignIn.tsx'
import { readCookie } from '../components/cookie.ts'

/** The web server sets it beside the session, which no script can read, and takes both back together. */
const EMAIL_COOKIE = 'todo_email'

/** The page of the static export: who is signed in is found out by the browser, not by a server. */
export default function Page(): ReactNode {
  const email = useSyncExternalStore(listen, readEmail, () => 'unknown' as const)
  if (email === 'unknown') return <main className="door" />
  return email === undefined ? <SignIn /> : <Desk email={email} />
}

/** Signing in or out loads the page anew, so there is nothing to listen to. */
function listen(): () => void {
  return () => undefined
}

function readEmail(): string | undefined {
  return readCookie(document.cookie, EMAIL_COOKIE)
}
