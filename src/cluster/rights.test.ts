import { describe, expect, it } from '@jest/globals'
import { answer } from '../../tests/fakes/cluster.ts'
import { reasonOf } from './cluster.ts'
import { describeRight, missingRight } from './rights.ts'

const refusal = (words: string) => answer(403, { message: `x is forbidden: ${words}` })

describe('a missing right', () => {
  it.each([
    {
      name: 'in a namespace',
      words: 'User "ci" cannot list resource "secrets" in API group "" in the namespace "todo"',
      right: 'list secrets in todo',
    },
    {
      name: 'of a group, for a part of a resource',
      words:
        'User "system:serviceaccount:a:b" cannot patch resource "deployments/scale" in API group "apps" in the namespace "todo"',
      right: 'patch deployments/scale.apps in todo',
    },
    {
      name: 'for the whole cluster',
      words: 'User "ci" cannot create resource "namespaces" in API group "" at the cluster scope',
      right: 'create namespaces in the whole cluster',
    },
  ])('$name is read from the words of the server', ({ words, right }) => {
    const found = missingRight(refusal(words))
    expect(found === undefined ? '' : describeRight(found)).toBe(right)
    expect(reasonOf(refusal(words))).toMatch(
      `this login may not ${right}; an administrator gives these rights with "kubectl apply -k`,
    )
  })

  it.each([
    { name: 'Pod Security', status: 403, words: 'violates PodSecurity "restricted:latest"' },
    { name: 'a quota', status: 403, words: 'exceeded quota: small, requested: cpu=1' },
    { name: 'another status', status: 409, words: 'cannot list resource "a" in API group ""' },
  ])('is not what $name refuses for', ({ status, words }) => {
    expect(missingRight(answer(status, { message: words }))).toBeUndefined()
    expect(reasonOf(answer(status, { message: words }))).toBe(words)
  })
})
