import { describe, expect, it } from '@jest/globals'
import { deploymentOf, foundBy, objectOf } from '../../tests/fakes/manifests.ts'
import { noTokenRule, ownServiceAccountRule } from './identity.ts'
import { hostAccessRule, numericUserRule, podSecurityRule } from './podsecurity.ts'
import { probesRule, probeTargetsRule } from './probes.ts'
import { resourceBandRule, resourcesRule } from './resources.ts'

const probe = { exec: { command: ['true'] } }
const probes = { startupProbe: probe, livenessProbe: probe, readinessProbe: probe }
const path = 'spec.template.spec'

describe('probes', () => {
  it('are wanted of sidecars too, and of nothing that ends', () => {
    const initContainers = [{ name: 'prepare' }, { name: 'proxy', restartPolicy: 'Always' }]
    const web = deploymentOf('web', { initContainers, containers: [{ name: 'main', ...probes }] })
    const job = { ...web, kind: 'Job', metadata: { name: 'job' } }
    expect(foundBy(probesRule, web, job).map((line) => line.split(':')[0])).toEqual([
      `web ${path}.initContainers[proxy].startupProbe`,
      `web ${path}.initContainers[proxy].livenessProbe`,
      `web ${path}.initContainers[proxy].readinessProbe`,
    ])
  })

  it('may be commands where nothing says HTTP, and a Service may say it', () => {
    const containers = [{ name: 'main', ports: [{ name: 'web', containerPort: 80 }], ...probes }]
    const web = deploymentOf('web', { containers })
    const service = (appProtocol: string) =>
      objectOf('Service', 'web', {
        spec: { selector: { app: 'web' }, ports: [{ port: 8080, targetPort: 80, appProtocol }] },
      })
    expect(foundBy(probeTargetsRule, web, service('tcp'))).toEqual([])
    expect(foundBy(probeTargetsRule, web, service('http'))).toHaveLength(3)
  })

  it('that ask nothing are no probes', () => {
    const containers = [{ name: 'main', livenessProbe: { periodSeconds: 5 } }]
    expect(foundBy(probeTargetsRule, deploymentOf('web', { containers }))).toEqual([
      `web ${path}.containers[main].livenessProbe: the probe asks nothing; give it httpGet`,
    ])
  })
})

describe('resources', () => {
  const withResources = (requests: unknown, limits: unknown) =>
    deploymentOf('web', { containers: [{ name: 'main', resources: { requests, limits } }] })

  it('of no meaning are missing ones', () => {
    const web = withResources({ cpu: 'some', memory: 0 }, { cpu: 1, memory: '1Mi' })
    expect(foundBy(resourcesRule, web)).toHaveLength(2)
  })

  it('may be numbers or texts in any unit', () => {
    const [most, more] = [
      { cpu: 0.1, memory: '131072Ki' },
      { cpu: '0.101', memory: '135M' },
    ]
    const limits = { cpu: '0.5', memory: '536870912' }
    expect(foundBy(resourceBandRule, withResources(most, limits))).toEqual([])
    expect(foundBy(resourceBandRule, withResources(more, limits))).toHaveLength(2)
  })

  it('can not be asked for above the limit', () => {
    const web = withResources({ cpu: '50m', memory: '64Mi' }, { cpu: '20m', memory: '64Mi' })
    expect(foundBy(resourceBandRule, web)).toEqual([expect.stringContaining('above the limit')])
  })
})

describe('the security of pods', () => {
  const strict = { allowPrivilegeEscalation: false, capabilities: { drop: ['ALL'] } }
  const pod = { runAsNonRoot: true, seccompProfile: { type: 'RuntimeDefault' } }
  const secured = (securityContext: unknown, volumes: unknown = []) =>
    deploymentOf('web', {
      ...{ securityContext: pod, volumes },
      containers: [{ name: 'main', securityContext }],
    })

  it('may be set for the pod, and a container can take it back', () => {
    expect(foundBy(podSecurityRule, secured(strict))).toEqual([])
    const loose = { ...strict, seccompProfile: { type: 'Unconfined' }, runAsNonRoot: false }
    expect(foundBy(podSecurityRule, secured(loose))).toHaveLength(2)
  })

  it('allows one capability, and no volume of the old kinds', () => {
    const add = (name: string) => ({ ...strict, capabilities: { drop: ['ALL'], add: [name] } })
    expect(foundBy(podSecurityRule, secured(add('NET_BIND_SERVICE')))).toEqual([])
    expect(foundBy(podSecurityRule, secured(add('NET_RAW')))).toHaveLength(1)
    const volumes = [{ name: 'share', nfs: { server: 'files', path: '/' } }]
    expect(foundBy(podSecurityRule, secured(strict, volumes))).toEqual([
      `web ${path}.volumes[share]: a volume of kind nfs is refused; use a claim`,
    ])
  })

  it('wants numbers: a container overrides the pod', () => {
    const root = { runAsUser: 0, runAsGroup: 5 }
    const web = deploymentOf('web', {
      ...{ securityContext: { runAsUser: 5, runAsGroup: 5 } },
      containers: [{ name: 'main', securityContext: root }],
    })
    expect(foundBy(numericUserRule, web)).toEqual([expect.stringContaining('runAsUser is 0')])
  })

  it('sees ports and processes of the host', () => {
    const ports = [{ name: 'http', containerPort: 80, hostPort: 80 }]
    const web = deploymentOf('web', { hostPID: true, containers: [{ name: 'main', ports }] })
    expect(foundBy(hostAccessRule, web)).toHaveLength(2)
  })
})

describe('identity', () => {
  it('is not given away by a volume either', () => {
    const sources = [{ serviceAccountToken: { path: 'token' } }]
    const volumes = [{ name: 'token', projected: { sources } }]
    const web = deploymentOf('web', { automountServiceAccountToken: false, volumes })
    expect(foundBy(noTokenRule, web)).toEqual([
      `web ${path}.volumes[token]: it mounts a service account token; remove the volume`,
    ])
  })

  it('is of its own namespace: an account of that name elsewhere does not count', () => {
    const web = deploymentOf('web', { serviceAccountName: 'web' })
    const elsewhere = objectOf('ServiceAccount', 'web', { metadata: { namespace: 'other' } })
    expect(foundBy(ownServiceAccountRule, web, objectOf('ServiceAccount', 'web'))).toEqual([])
    expect(foundBy(ownServiceAccountRule, web, elsewhere)).toHaveLength(1)
    expect(foundBy(ownServiceAccountRule, deploymentOf('bare'))).toEqual([
      expect.stringContaining('"default", which all share'),
    ])
  })
})
