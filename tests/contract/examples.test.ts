import { readFileSync } from 'node:fs'
import { expect, test } from '@jest/globals'
import { parseYaml } from '../../src/yaml.ts'

type Job = {
  readonly permissions?: Readonly<Record<string, string>>
  readonly steps?: readonly { readonly uses?: string }[]
}

/** Every YAML example of a page that builds images: a workflow with jobs, or what stands in one job. */
function buildingJobs(page: string): readonly Job[] {
  return [...readFileSync(page, 'utf8').matchAll(/```yaml\n(.*?)```/gs)]
    .map(([, text = '']) => parseYaml(text) as Job & { jobs?: Record<string, Job> })
    .flatMap((example) => (example.jobs === undefined ? [example] : Object.values(example.jobs)))
    .filter(({ steps = [] }) => steps.some(({ uses = '' }) => uses.includes('/build-images@')))
}

test.each(['README.md', 'actions/build-images/README.md'])(
  'the jobs that build images in %s may sign, as build-images does by default',
  (page) => {
    const jobs = buildingJobs(page)
    expect(jobs).not.toHaveLength(0)
    for (const { permissions } of jobs)
      expect(permissions).toMatchObject({ packages: 'write', 'id-token': 'write' })
  },
)
