import { describe, expect, it } from '@jest/globals'
import { deploymentOf, foundBy, objectOf } from '../../tests/fakes/manifests.ts'
import { defaultDenyRule, networkAllowRule } from './network.ts'
import { routesRule, serviceTargetsRule } from './routes.ts'

const containers = [{ name: 'main', ports: [{ name: 'http', containerPort: 3000 }] }]
const web = deploymentOf('web', { containers })
const selector = { app: 'web' }
const service = (port: unknown, more: object = {}) =>
  objectOf('Service', 'web', { spec: { selector, ports: [port], ...more } })
const policy = (name: string, spec: unknown) => objectOf('NetworkPolicy', name, { spec })
const namespace = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'todo' } }

describe('a denial', () => {
  it('may come in two policies', () => {
    const both = [
      policy('in', { podSelector: {}, policyTypes: ['Ingress'] }),
      policy('out', { podSelector: {}, policyTypes: ['Egress'] }),
    ]
    expect(foundBy(defaultDenyRule, namespace, ...both)).toEqual([])
  })

  it('without policyTypes is about Ingress alone', () => {
    expect(foundBy(defaultDenyRule, namespace, policy('deny', { podSelector: {} }))).toEqual([
      expect.stringContaining('denies all Egress'),
    ])
  })

  it('of some pods denies the others nothing', () => {
    const some = policy('some', { podSelector: { matchLabels: selector } })
    expect(foundBy(defaultDenyRule, namespace, some)).toHaveLength(2)
  })
})

describe('what a policy allows', () => {
  const allow = (port: unknown) =>
    policy('web', {
      podSelector: { matchLabels: selector },
      ingress: [{ from: [{ podSelector: {} }], ports: [{ port }] }],
    })

  it.each([3000, 'http'])('is the port of the container by number or name: %s', (port) => {
    const target = service({ port: 80, targetPort: 'http' })
    expect(foundBy(networkAllowRule, web, target, allow(port))).toEqual([])
  })

  it('is not the port of the Service', () => {
    const target = service({ port: 80, targetPort: 'http' })
    expect(foundBy(networkAllowRule, web, target, allow(80))).toEqual([
      expect.stringContaining('leads to port http'),
    ])
  })

  it('for all pods, such as DNS, does not count', () => {
    const dns = policy('dns', { podSelector: {}, egress: [{ ports: [{ port: 53 }] }] })
    expect(foundBy(networkAllowRule, web, dns)).toHaveLength(1)
  })
})

describe('a Service', () => {
  it('leads to the same number where it names no target', () => {
    expect(foundBy(serviceTargetsRule, web, service({ port: 3000 }))).toEqual([])
    expect(foundBy(serviceTargetsRule, web, service({ port: 80 }))).toHaveLength(1)
  })

  it('may have no selector, or stand for a name outside', () => {
    const outside = { type: 'ExternalName', selector: { app: 'gone' } }
    expect(foundBy(serviceTargetsRule, service({ port: 80 }, outside))).toEqual([])
    expect(foundBy(serviceTargetsRule, service({ port: 80 }, { selector: undefined }))).toEqual([])
  })

  it('does not lead to pods of a Job', () => {
    const job = { ...web, kind: 'Job', metadata: { ...web.metadata, name: 'migrate' } }
    expect(foundBy(serviceTargetsRule, web, job, service({ port: 3000 }))).toEqual([
      expect.stringContaining('the pods of Job migrate too'),
    ])
  })
})

describe('a route', () => {
  const ingress = (spec: unknown) => objectOf('Ingress', 'in', { spec })
  const route = (backend: object) =>
    objectOf('HTTPRoute', 'route', { spec: { rules: [{ backendRefs: [backend] }] } })
  const target = service({ name: 'http', port: 80, targetPort: 3000 })

  it.each([{ number: 80 }, { name: 'http' }])('names a port by %j', (port) => {
    const defaultBackend = { service: { name: 'web', port } }
    expect(foundBy(routesRule, target, ingress({ defaultBackend }))).toEqual([])
  })

  it('of the Gateway API is judged like an Ingress', () => {
    expect(foundBy(routesRule, target, route({ name: 'web', port: 80 }))).toEqual([])
    expect(foundBy(routesRule, target, route({ name: 'web', port: 3000 }))).toHaveLength(1)
    expect(foundBy(routesRule, target, route({ name: 'gone', port: 80 }))).toHaveLength(1)
    expect(foundBy(routesRule, route({ name: 'x', port: 1, namespace: 'other' }))).toEqual([])
  })
})
