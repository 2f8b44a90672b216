import { describe, expect, it } from '@jest/globals'
import { formatReference, parseReference, requireDigest } from './reference.ts'

const digest = `sha256:${'a'.repeat(64)}`

describe('an image reference', () => {
  it.each([
    {
      name: 'an official image of Docker Hub',
      text: 'postgres:17',
      parsed: { registry: 'docker.io', repository: 'library/postgres', tag: '17' },
    },
    {
      name: 'an image of Docker Hub that has an owner',
      text: 'acme/web',
      parsed: { registry: 'docker.io', repository: 'acme/web' },
    },
    {
      name: 'a host with a port, which is no tag',
      text: 'localhost:5001/todo/backend',
      parsed: { registry: 'localhost:5001', repository: 'todo/backend' },
    },
    {
      name: 'a host with a port, and a tag',
      text: '127.0.0.1:5001/backend:v1',
      parsed: { registry: '127.0.0.1:5001', repository: 'backend', tag: 'v1' },
    },
    {
      name: 'a tag and a digest together',
      text: `ghcr.io/acme/todo-app/backend:v1@${digest}`,
      parsed: { registry: 'ghcr.io', repository: 'acme/todo-app/backend', tag: 'v1', digest },
    },
    {
      name: 'every separator that a path may have',
      text: 'ghcr.io/a.b/c_d/e__f/g---h',
      parsed: { registry: 'ghcr.io', repository: 'a.b/c_d/e__f/g---h' },
    },
  ])('is read where it is $name', ({ text, parsed }) => {
    expect(parseReference(text)).toEqual(parsed)
  })

  it.each([
    { name: 'nothing', text: '', why: 'lower-case letters' },
    { name: 'upper case in the path', text: 'ghcr.io/Acme/web', why: 'lower-case letters' },
    { name: 'an address', text: 'https://ghcr.io/acme/web', why: '"https:" is no host' },
    { name: 'an empty part', text: 'ghcr.io/acme//web', why: 'lower-case letters' },
    { name: 'a way out', text: 'ghcr.io/acme/../web', why: 'lower-case letters' },
    { name: 'an option', text: '--push', why: 'lower-case letters' },
    { name: 'a host that is none', text: 'ghcr.io?x=/acme', why: 'host' },
    { name: 'an empty tag', text: 'acme/web:', why: 'the tag ""' },
    { name: 'a tag with a blank', text: 'acme/web:v 1', why: 'the tag "v 1"' },
    { name: 'a short digest', text: 'acme/web@sha256:abc', why: '64 hexadecimal digits' },
    { name: 'two digests', text: `acme/web@${digest}@${digest}`, why: 'more than one @' },
  ])('is refused where it is $name', ({ text, why }) => {
    expect(() => parseReference(text)).toThrow(why)
  })

  it('is written with its digest alone where it has one', () => {
    const reference = parseReference(`ghcr.io/acme/web:v1@${digest}`)
    expect(formatReference(reference)).toBe(`ghcr.io/acme/web@${digest}`)
  })

  it('is no name to deploy by without a digest', () => {
    expect(() => requireDigest('ghcr.io/acme/web:v1')).toThrow('repository@sha256:')
  })
})
