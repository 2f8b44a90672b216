import { describe, expect, it } from '@jest/globals'
import { followBuild } from './buildlog.ts'

function said(text: string): readonly string[] {
  const lines: string[] = []
  const follow = followBuild((line) => lines.push(line))
  for (const line of text.trim().split('\n')) follow(line)
  return lines
}

describe('the log of a build', () => {
  it('is silent where everything is cached', () => {
    const lines = said(`
#0 building with "todo-deploy" instance using docker-container driver
#2 [backend internal] load build definition from Dockerfile
#2 transferring dockerfile: 206B done
#2 DONE 0.0s
#8 [backend build 1/3] FROM docker.io/library/python:3.11-slim@sha256:03b5
#8 resolve docker.io/library/python:3.11-slim@sha256:03b5 0.0s done
#8 DONE 0.0s
#9 [backend build 2/3] WORKDIR /app
#9 CACHED
#10 [backend build 3/3] RUN pip install -r requirements.txt
#10 CACHED
`)
    expect(lines).toEqual([])
  })

  it('names a step when it begins to print and when it took a while, though others come between', () => {
    const lines = said(`
#10 [backend build 3/3] RUN pip install -r requirements.txt
#11 [frontend build 4/6] RUN npm ci
#10 0.412 Collecting fastapi
#10 ...

#11 [frontend build 4/6] RUN npm ci
#11 0.911 added 300 packages
#11 DONE 0.9s

#10 [backend build 3/3] RUN pip install -r requirements.txt
#10 2.110 Successfully installed fastapi
#10 DONE 12.3s
`)
    expect(lines).toEqual([
      'backend build 3/3: RUN pip install -r requirements.txt',
      'frontend build 4/6: RUN npm ci',
      'backend build 3/3: RUN pip install -r requirements.txt (12.3 s)',
    ])
  })
})
