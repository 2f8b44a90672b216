import { Agent } from 'node:http'
import { describe, expect, it } from '@jest/globals'
import { LIMITS } from './pace.ts'
import { PATIENCE } from './patience.ts'
import { registryOf } from './session.ts'
import { checkedUrl, openTransport } from './transport.ts'

const { signal } = new AbortController()
const TLS = new URL('https://ghcr.io/v2/a/blobs/uploads/')

describe('the address of a registry', () => {
  it.each([
    { registry: 'ghcr.io', base: 'https://ghcr.io/' },
    { registry: 'docker.io', base: 'https://registry-1.docker.io/' },
    { registry: 'index.docker.io', base: 'https://registry-1.docker.io/' },
    { registry: 'localhost:5001', base: 'http://localhost:5001/' },
    { registry: '127.0.0.1:5001', base: 'http://127.0.0.1:5001/' },
    { registry: '[::1]:5001', base: 'http://[::1]:5001/' },
    { registry: 'localhost.example:5001', base: 'https://localhost.example:5001/' },
    { registry: '10.0.0.1:5000', base: 'https://10.0.0.1:5000/' },
  ])('$registry is $base', ({ registry, base }) => {
    expect(registryOf(registry, signal).transport.base.href).toBe(base)
  })

  it('may be plain HTTP elsewhere where somebody says so', () => {
    const agentFor = () => new Agent()
    const settings = { agentFor, dockerConfig: undefined, limits: LIMITS, patience: PATIENCE }
    const transport = openTransport('10.0.0.1:5000', { ...settings, scheme: 'http' }, signal)
    expect(transport.base.href).toBe('http://10.0.0.1:5000/')
  })
})

describe('an address that a registry gives', () => {
  it.each([
    { text: '/v2/a/upload/1?state=%20', url: 'https://ghcr.io/v2/a/upload/1?state=%20' },
    { text: 'https://store.example/x', url: 'https://store.example/x' },
    { text: 'https://user:password@store.example/x', url: 'https://store.example/x' },
  ])('$text is $url', ({ text, url }) => {
    expect(checkedUrl(text, TLS, 'ghcr.io').href).toBe(url)
  })

  it.each([
    { text: 'http://ghcr.io/x', why: 'leads from TLS to plain HTTP at ghcr.io; refused' },
    { text: 'http://169.254.169.254/latest', why: 'leads from TLS to plain HTTP' },
    { text: 'file:///etc/passwd', why: 'leads to an address that is not HTTP (file:); refused' },
    { text: 'https://', why: 'gives an address that is none; refused' },
  ])('$text is refused', ({ text, why }) => {
    expect(() => checkedUrl(text, TLS, 'ghcr.io')).toThrow(`The registry ghcr.io ${why}`)
  })
})
