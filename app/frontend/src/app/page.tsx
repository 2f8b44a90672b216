import { cookies } from 'next/headers'
import type { ReactNode } from 'react'
import { Desk } from '../components/Desk.tsx'
import { SignIn } from '../components/SignIn.tsx'
import { readEmail, SESSION_COOKIE } from '../server/session.ts'

export default async function Page(): Promise<ReactNode> {
  const token = (await cookies()).get(SESSION_COOKIE)?.value
  const email = token === undefined ? undefined : readEmail(token)
  return email === undefined ? <SignIn /> : <Desk email={email} />
}
