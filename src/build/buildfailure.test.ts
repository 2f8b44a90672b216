import { describe, expect, it } from '@jest/globals'
import { explainBuild } from './buildfailure.ts'
import type { BakeTarget } from './bakeplan.ts'

function target(name: string, context: string): BakeTarget {
  return { name, context, dockerfile: 'Dockerfile', contexts: {}, args: {}, resolved: {} }
}

const plan = {
  folder: '/srv/todo',
  targets: [target('backend', 'app/backend'), target('frontend', '../my-app/web')],
}

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
    const error = explainBuild('ERROR: something that nobody knows\n', plan)
    expect(error.message).toBe('An image did not build: something that nobody knows')
    expect(error.details).toContain('ERROR: something that nobody knows')
  })

  it.each([
    {
      name: 'that does not exist',
      said: 'ERROR: no builder "nobody" found\n',
      says: /^There is no builder "nobody"; "docker buildx ls" shows those there are$/,
    },
    {
      name: 'that has gone',
      said: 'ERROR: failed to receive status: rpc error: code = Unavailable desc = error reading from server: EOF\n',
      says: /^The builder went away in the middle of the build; /,
    },
    {
      name: 'whose engine does not answer',
      said: 'ERROR: failed to connect to the docker API at unix:///var/run/docker.sock\n',
      says: /^The builder can't be reached: no Docker engine answers; /,
    },
  ])('is laid to a builder $name, and to no image', ({ said, says }) => {
    expect(explainBuild(said, plan).message).toMatch(says)
  })

  it('is no fault of the builder where a step only speaks of one', () => {
    const said = FAILED_STEP.replace('0.112 Collecting', '0.112 code = Unavailable, collecting')
    expect(explainBuild(said, plan).message).toMatch(/^The image /)
  })
})
