import { expect, it } from '@jest/globals'
import { answer, fakeCluster } from '../../tests/fakes/cluster.ts'
import type { Request } from './cluster.ts'
import { lookOnce } from './look.ts'

function counted() {
  const cluster = fakeCluster()
  const asked: Request[] = []
  cluster.intercept = (request) => {
    asked.push(request)
    return answer(200, { number: asked.length })
  }
  return { asked, look: lookOnce(cluster) }
}

const read = { method: 'GET', path: '/api/v1/namespaces' } as const
const trial = { method: 'PATCH', path: '/api/v1/namespaces/a?dryRun=All' } as const

it('asks for the same thing once, whoever asks and whenever', async () => {
  const { asked, look } = counted()
  const [first, second] = await Promise.all([look.call(read), look.call(read)])
  expect([first, second, await look.call(read)]).toEqual([first, first, first])
  expect(asked).toEqual([read])
})

it('takes another text for the same where only its order differs, and nothing else', async () => {
  const { asked, look } = counted()
  const answers = [
    await look.call({ ...trial, body: { a: 1, b: 2 } }),
    await look.call({ ...trial, body: { b: 2, a: 1 } }),
    await look.call({ ...trial, body: { a: 1, b: 3 } }),
    await look.call({ ...trial, path: `${trial.path}&force=true`, body: { a: 1, b: 2 } }),
  ]
  expect(answers.map(({ body }) => body)).toEqual([1, 1, 2, 3].map((number) => ({ number })))
  expect(asked).toHaveLength(3)
})
