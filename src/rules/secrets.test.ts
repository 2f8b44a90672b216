import { describe, expect, it } from '@jest/globals'
import { deploymentOf, foundBy, objectOf } from '../../tests/fakes/manifests.ts'
import { PROVIDED, referencesRule } from './references.ts'
import { secretFilesRule, secretValuesRule } from './secrets.ts'

const mounting = (secret: object) =>
  deploymentOf('web', { volumes: [{ name: 'secrets', secret: { secretName: 's', ...secret } }] })
const items = [{ key: 'A', path: 'a' }]
const external = (spec: object) => objectOf('ExternalSecret', 'store', { spec })
const namespace = (provided: string) => ({
  ...{ apiVersion: 'v1', kind: 'Namespace' },
  metadata: { name: 'todo', annotations: { [PROVIDED]: provided } },
})

describe('a reference', () => {
  it('that is optional may lead nowhere', () => {
    expect(foundBy(referencesRule, mounting({}))).toHaveLength(1)
    expect(foundBy(referencesRule, mounting({ optional: true }))).toEqual([])
  })

  it.each([
    { name: 'is in the release', source: objectOf('Secret', 's', { stringData: { A: '' } }) },
    { name: 'comes from outside', source: namespace('ConfigMap/ca, Secret/s') },
    {
      name: 'is made by an operator',
      source: external({ target: { name: 's' }, data: [{ secretKey: 'A' }] }),
    },
    {
      name: 'is made by an operator that takes all',
      source: external({ target: { name: 's' }, dataFrom: [{}] }),
    },
    {
      name: 'is made by an operator from a template',
      source: external({ target: { name: 's', template: { data: { A: '' } } }, dataFrom: [{}] }),
    },
  ])('is fine where it $name', ({ source }) => {
    expect(foundBy(referencesRule, mounting({ items }), source)).toEqual([])
  })

  it.each([
    { name: 'has another kind', source: namespace('ConfigMap/s') },
    {
      name: 'is made from a template without it',
      source: external({ target: { name: 's', template: { data: { B: '' } } }, dataFrom: [{}] }),
    },
    { name: 'has another name', source: external({ data: [{ secretKey: 'A' }] }) },
    {
      name: 'lacks the key',
      source: external({ target: { name: 's' }, data: [{ secretKey: 'B' }] }),
    },
    {
      name: 'is elsewhere',
      source: objectOf('Secret', 's', { metadata: { namespace: 'other' }, data: { A: '' } }),
    },
  ])('is found where what there is $name', ({ source }) => {
    expect(foundBy(referencesRule, mounting({ items }), source)).toHaveLength(1)
  })

  it('is seen in projected volumes, variables and claims too', () => {
    const web = deploymentOf('web', {
      volumes: [
        { name: 'all', projected: { sources: [{ configMap: { name: 'a' } }] } },
        { name: 'data', persistentVolumeClaim: { claimName: 'b' } },
      ],
      containers: [
        {
          name: 'main',
          envFrom: [{ configMapRef: { name: 'c' } }],
          env: [{ name: 'D', valueFrom: { configMapKeyRef: { name: 'd', key: 'k' } } }],
        },
      ],
      imagePullSecrets: [{ name: 'e' }],
    })
    const names = foundBy(referencesRule, web).map((line) => /there is no (.*?);/.exec(line)?.[1])
    expect(names.toSorted()).toEqual([
      'ConfigMap a',
      'ConfigMap c',
      'ConfigMap d',
      'PersistentVolumeClaim b',
      'Secret e',
    ])
  })
})

describe('a secret', () => {
  const config = (data: Readonly<Record<string, string>>) => objectOf('ConfigMap', 'c', { data })

  it.each([
    { name: 'by its name', data: { SESSION_TOKEN: 'x' } },
    { name: 'by the password in a URL', data: { URL: 'redis://:pass@cache:6379' } },
    { name: 'by the look of a key', data: { pem: '-----BEGIN EC PRIVATE KEY-----' } },
    { name: 'by the look of a token', data: { t: `eyJhbGciOiJI.eyJzdWIiOiIx.${'a'.repeat(20)}` } },
  ])('is known $name', ({ data }) => {
    expect(foundBy(secretValuesRule, config(data))).toHaveLength(1)
  })

  it('is known wherever its value is repeated, in base64 too', () => {
    const value = 'correct horse'
    const secret = objectOf('Secret', 's', { stringData: { A: value } })
    const encoded = objectOf('Secret', 's', {
      data: { A: Buffer.from(value).toString('base64') },
    })
    const args = [`--with=${value}`]
    const web = deploymentOf('web', { containers: [{ name: 'main', args }] })
    expect(foundBy(secretValuesRule, web, secret)).toHaveLength(1)
    expect(foundBy(secretValuesRule, web, encoded)).toHaveLength(1)
  })

  it('is none where a file is named, a URL has no password, or a word is short', () => {
    const data = { DB_PASSWORD_FILE: '/run/x', URL: 'postgres://todo@db:5432/x', MODE: 'debug' }
    const secret = objectOf('Secret', 's', { stringData: { A: 'debug' } })
    expect(foundBy(secretValuesRule, config(data), secret)).toEqual([])
  })

  it('is read from a file, not taken whole into the variables', () => {
    const envFrom = [{ secretRef: { name: 's' } }, { configMapRef: { name: 'c' } }]
    const web = deploymentOf('web', { containers: [{ name: 'main', envFrom }] })
    expect(foundBy(secretFilesRule, web)).toHaveLength(1)
  })
})
