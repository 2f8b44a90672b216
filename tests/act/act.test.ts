import { readFile } from 'node:fs/promises'
import { describe, expect, it } from '@jest/globals'
import type { Lab } from '../../lab/lab.ts'
import { actArguments, readRun } from './act.ts'

const lab = {
  registry: 'localhost:5001',
  builder: 'lab',
  vulnerabilityDatabase: '',
  environment: { KUBECONFIG: '/lab/kubeconfig', DOCKER_HOST: 'unix:///lab/docker.sock' },
} as unknown as Lab

describe('act', () => {
  it('gets the actions of the release tree, stand-ins for those of others, and no checkout', async () => {
    const text = await readFile('.github/workflows/cd-dev.yml', 'utf8')
    const argv = actArguments({ file: 'cd-dev.yml', event: 'push' }, text, lab)
    const repositories = argv.filter((_, index) => argv[index - 1] === '--local-repository')
    expect(repositories.map((entry) => entry.replace(/@[^=]+=.*\/(?=\w)/, ' is '))).toEqual([
      expect.stringMatching(/^docker\/login-action is login-action$/),
      expect.stringMatching(/^docker\/setup-buildx-action is setup-buildx-action$/),
      expect.stringMatching(/^org\/todo-deploy is release$/),
    ])
  })

  it('gets the kubeconfig as a secret without its value, and not as a path', () => {
    const argv = actArguments({ file: 'promote.yml', event: 'workflow_dispatch' }, '', lab)
    expect(argv.join(' ')).toContain('--secret KUBE_CONFIG --secret')
    expect(argv.join(' ')).not.toContain('/lab/kubeconfig')
  })

  it('tells by its results, not by its words, how jobs and steps ended', () => {
    const output = [
      { jobID: 'dev', step: 'Deploy', msg: 'all good, success', stepResult: 'failure' },
      { jobID: 'dev', msg: 'Job failed', jobResult: 'failure' },
      { msg: 'bye' },
    ]
    const text = ['not JSON', ...output.map((line) => JSON.stringify(line))].join('\n')
    expect(readRun(text)).toEqual({
      jobs: { dev: 'failure' },
      steps: { Deploy: 'failure' },
      log: ['not JSON', 'all good, success', 'Job failed', 'bye'],
    })
  })
})
