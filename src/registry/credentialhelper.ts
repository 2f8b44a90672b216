import { spawn } from 'node:child_process'
import { textAt } from '../json.ts'

/** What a `docker-credential-…` program said: its login, or why there is none. */
export type HelperAnswer =
  { readonly username: string; readonly secret: string } | { readonly why: string }

/** Some of them ask a cloud for a token first. */
const HELPER_MS = 30_000
const GRACE_MS = 500
const ANSWER_LIMIT = 64 * 1024
const NAME = /^[A-Za-z0-9._-]+$/

/**
 * Asks a credential helper, over its standard input, for the login of a registry. Its answer is never shown: it holds the secret,
 * and so may what it writes when it fails. It is ended when it takes too long.
 */
export function askHelper(
  helper: string,
  server: string,
  limitMs: number = HELPER_MS,
): Promise<HelperAnswer> {
  const program = `docker-credential-${helper}`
  if (!NAME.test(helper))
    return Promise.resolve({ why: `Docker's configuration names a helper that can't be one` })
  return new Promise((resolve) => {
    const stdio: ['pipe', 'pipe', 'ignore'] = ['pipe', 'pipe', 'ignore']
    const child = spawn(program, ['get'], { stdio, env: process.env })
    let answer = ''
    const end = (result: HelperAnswer) => {
      clearTimeout(timer)
      child.stdout.destroy()
      child.kill('SIGKILL')
      resolve(result)
    }
    const timer = setTimeout(() => {
      end({ why: `${program} did not answer within ${limitMs / 1000} s` })
    }, limitMs)
    child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      answer += chunk
      if (answer.length > ANSWER_LIMIT) end({ why: `${program} answered with more than a login` })
    })
    child.on('error', () => {
      end({ why: `${program}, which Docker's configuration names, can't be started` })
    })
    child.on('close', (status) => {
      end(readAnswer(program, status, answer))
    })
    child.on('exit', (status) => {
      // A program that it started may hold its output open for ever.
      setTimeout(() => {
        end(readAnswer(program, status, answer))
      }, GRACE_MS)
    })
    child.stdin.on('error', () => undefined) // It ended without reading; its status says more.
    child.stdin.end(server)
  })
}

function readAnswer(program: string, status: number | null, answer: string): HelperAnswer {
  if (status !== 0) {
    // This one sentence is fixed by the protocol of the helpers.
    const none = answer.includes('credentials not found')
    return {
      why: none ? `${program} knows no login for it` : `${program} failed (${String(status)})`,
    }
  }
  let parsed: unknown
  try {
    parsed = JSON.parse(answer)
  } catch {
    parsed = undefined // Said below; the text may not be shown.
  }
  const username = textAt(parsed, 'Username')
  const secret = textAt(parsed, 'Secret')
  if (username === undefined || secret === undefined || secret === '')
    return { why: `${program} answered with something that is no login` }
  return { username, secret }
}
