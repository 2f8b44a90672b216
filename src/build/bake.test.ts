import { describe, expect, it } from '@jest/globals'
import { bakeArguments, explainBuild } from './bake.ts'
import type { BakeTarget } from './bakeplan.ts'

function target(name: string, context: string): BakeTarget {
  return { name, context, dockerfile: 'Dockerfile', contexts: {}, args: {}, resolved: {} }
}

const plan = {
  file: 'docker-bake.hcl',
  folder: '/srv/todo',
  targets: [target('backend', 'app/backend'), target('frontend', '../my-app/web')],
  parents: [],
}
const options = {
  builder: '',
  platforms: [],
  cache: 'builder',
  names: ['backend', 'frontend'],
  output: (name: string) => `type=oci,dest=/out/${name}`,
} as const

describe('the arguments of a build', () => {
  it('give each image an output of its own and end with what is built', () => {
    const args = bakeArguments(plan, options)
    expect(args).toContain('backend.output=type=oci,dest=/out/backend')
    expect(args).toContain('frontend.output=type=oci,dest=/out/frontend')
    expect(args.slice(-2)).toEqual(['backend', 'frontend'])
  })

  it('allow to read the contexts outside of the folder, and no others', () => {
    const allowed = bakeArguments(plan, options).filter((arg) => arg.startsWith('--allow'))
    expect(allowed).toEqual(['--allow=fs.read=/srv/my-app/web'])
  })

  it('tell the builder the date of a target, whether the bake file knows it or not', () => {
    const dated = { ...target('api', '.'), args: { SOURCE_DATE_EPOCH: '315532800', MODE: 'x' } }
    const args = bakeArguments({ ...plan, targets: [dated] }, { ...options, names: ['api'] })
    expect(args).toContain('api.args.SOURCE_DATE_EPOCH=315532800')
    expect(args.join(' ')).not.toContain('MODE')
  })

  it('leave builder, platforms and cache to bake where nothing was asked for', () => {
    const args = bakeArguments(plan, options).join(' ')
    expect(args).not.toMatch(/--builder|platform|cache/)
  })

  it('give each image a cache of its own, which never fails the build', () => {
    const args = bakeArguments(plan, {
      ...options,
      builder: 'remote',
      platforms: ['linux/amd64', 'linux/arm64'],
      cache: { repository: 'ghcr.io/todo/cache' },
    })
    expect(args).toContain('*.platform=linux/amd64,linux/arm64')
    expect(args[args.indexOf('--builder') + 1]).toBe('remote')
    expect(args).toContain('backend.cache-from=type=registry,ref=ghcr.io/todo/cache:backend')
    const write = args.find((arg) => arg.startsWith('frontend.cache-to'))
    expect(write).toMatch(/ref=ghcr\.io\/todo\/cache:frontend,.*ignore-error=true/)
  })
})

/** What buildx prints where one of several images fails in a step. */
const FAILED_STEP = `
#10 [backend 3/3] RUN pip install -r requirements.txt
#10 0.112 Collecting fastapi==0.999
#10 1.124 ERROR: No matching distribution found for fastapi==0.999
#10 ERROR: process "/bin/sh -c pip install -r requirements.txt" did not complete successfully: exit code: 1

#7 [frontend 1/1] RUN npm ci
#7 CANCELED
------
 > [backend 3/3] RUN pip install -r requirements.txt:
0.112 Collecting fastapi==0.999
1.124 ERROR: No matching distribution found for fastapi==0.999
------
WARNING: No output specified for backend target(s) with docker-container driver.
Dockerfile:3
--------------------
   1 |     FROM python:3.11-slim
   2 |     WORKDIR /app
   3 | >>> RUN pip install -r requirements.txt
   4 |     
--------------------
ERROR: target backend: failed to solve: process "/bin/sh -c pip install -r requirements.txt" did not complete successfully: exit code: 1
`

/** What buildx prints where the only image fails before its first step: it names no target then. */
const FAILED_BASE = `
#3 [internal] load metadata for docker.io/library/pyton:3.11
#3 ERROR: docker.io/library/pyton:3.11: not found
------
 > [internal] load metadata for docker.io/library/pyton:3.11:
------
Dockerfile:1
--------------------
   1 | >>> FROM pyton:3.11
--------------------
ERROR: failed to solve: pyton:3.11: failed to resolve source metadata for docker.io/library/pyton:3.11: docker.io/library/pyton:3.11: not found
`

describe('a build that failed', () => {
  it('names the image, the line of its Dockerfile and the step in the first line', () => {
    expect(explainBuild(FAILED_STEP, plan).message).toBe(
      'The image backend did not build at app/backend/Dockerfile:3: process "/bin/sh -c pip install -r requirements.txt" did not complete successfully: exit code: 1',
    )
  })

  it('knows the line to mark', () => {
    expect(explainBuild(FAILED_STEP, plan).place).toEqual({
      file: 'app/backend/Dockerfile',
      line: 3,
    })
  })

  it('shows the last words of the program that failed below it', () => {
    expect(explainBuild(FAILED_STEP, plan).details).toEqual([
      ' > [backend 3/3] RUN pip install -r requirements.txt:',
      '0.112 Collecting fastapi==0.999',
      '1.124 ERROR: No matching distribution found for fastapi==0.999',
    ])
  })

  it('names the image where only one was built', () => {
    expect(
      explainBuild(FAILED_BASE, { ...plan, targets: plan.targets.slice(0, 1) }).message,
    ).toMatch(
      /^The image backend did not build at app\/backend\/Dockerfile:1: pyton:3\.11: .*not found$/,
    )
  })

  it('has its whole end shown where its form is another', () => {
    const error = explainBuild('ERROR: no builder "todo-deploy" found\n', plan)
    expect(error.message).toBe('An image did not build: no builder "todo-deploy" found')
    expect(error.details).toContain('ERROR: no builder "todo-deploy" found')
  })
})
