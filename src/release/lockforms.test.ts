import { describe, expect, it } from '@jest/globals'
import { parseYaml } from '../yaml.ts'
import { lockForms } from './lockforms.ts'

const digest = `sha256:${'a'.repeat(64)}`
const image = (reference: string) => ({ reference: `${reference}@${digest}`, digest, size: 7 })
const set = {
  version: 1,
  images: {
    'mcp-server': image('localhost:5001/todo/mcp-server'),
    backend: image('ghcr.io/acme/todo/backend'),
  },
} as const

function formOf(file: string): unknown {
  return parseYaml(lockForms(set)[file] ?? '')
}

describe('the other forms of a lock file', () => {
  it('are a component that kustomize can include', () => {
    expect(formOf('kustomization.yaml')).toEqual({
      apiVersion: 'kustomize.config.k8s.io/v1alpha1',
      kind: 'Component',
      images: [
        { name: 'backend', newName: 'ghcr.io/acme/todo/backend', digest },
        { name: 'mcp-server', newName: 'localhost:5001/todo/mcp-server', digest },
      ],
    })
  })

  it('are values of the chart', () => {
    expect(formOf('images.values.yaml')).toEqual({
      global: {
        images: {
          backend: `ghcr.io/acme/todo/backend@${digest}`,
          'mcp-server': `localhost:5001/todo/mcp-server@${digest}`,
        },
      },
    })
  })

  it('are a lock of images as kbld and imgpkg know it', () => {
    expect(formOf('images.kbld.yaml')).toEqual({
      apiVersion: 'imgpkg.carvel.dev/v1alpha1',
      kind: 'ImagesLock',
      images: [
        {
          image: `ghcr.io/acme/todo/backend@${digest}`,
          annotations: { 'kbld.carvel.dev/id': 'backend' },
        },
        {
          image: `localhost:5001/todo/mcp-server@${digest}`,
          annotations: { 'kbld.carvel.dev/id': 'mcp-server' },
        },
      ],
    })
  })

  it('are the same text whatever the order of the images, names of any kind included', () => {
    const { backend, 'mcp-server': mcp } = set.images
    const turned = { version: 1, images: { backend, 'mcp-server': mcp } } as const
    expect(lockForms(turned)).toEqual(lockForms(set))
    const odd = { version: 1, images: { 'yes: #no': backend } } as const
    const values = parseYaml(lockForms(odd)['images.values.yaml'] ?? '')
    expect(values).toEqual({ global: { images: { 'yes: #no': backend.reference } } })
  })
})
