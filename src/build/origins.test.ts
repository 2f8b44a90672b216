import { describe, expect, it } from '@jest/globals'
import { aFinding } from '../../tests/fakes/findings.ts'
import type { HistoryEntry } from '../scan/history.ts'
import { alignHistory, originOf } from './origins.ts'

const DOCKERFILE = `# syntax=docker/dockerfile:1
ARG PYTHON=python:3.11-slim
FROM $PYTHON AS build
RUN pip install everything

FROM \${PYTHON} AS runtime
# a comment
RUN apt-get update \\
  && apt-get install -y curl
ENV A=1

FROM runtime
COPY --from=build /opt/venv /opt/venv
COPY <<EOF /etc/motd
RUN nothing
EOF
USER 10001
`

const entry = (createdBy: string, layer?: string): HistoryEntry => ({ createdBy, layer })
const base = [entry('/bin/sh -c #(nop) ADD file:1 in /', 'base-1'), entry('CMD ["python3"]')]
const own = [
  entry('RUN /bin/sh -c apt-get update && apt-get install -y curl # buildkit', 'apt'),
  entry('ENV A=1'),
  entry('COPY /opt/venv /opt/venv # buildkit', 'venv'),
  entry('COPY EOF /etc/motd # buildkit', 'motd'),
  entry('USER 10001'),
]

function find(layer: string, more = {}, { history = [...base, ...own], stage = '' } = {}) {
  const known = alignHistory(DOCKERFILE, stage, history)
  const origin = originOf(
    aFinding({ layer, ...more }),
    known && { file: 'docker/Dockerfile', ...known },
  )
  return origin === undefined ? undefined : `${origin.by} ${origin.line} ${origin.instruction}`
}

describe('the line that a package comes in by', () => {
  it('is the instruction that made its layer, in the last stage or one that it is built on', () => {
    expect(find('venv')).toBe('step 13 COPY --from=build /opt/venv /opt/venv')
    expect(find('apt')).toBe('step 8 RUN apt-get update && apt-get install -y curl')
    expect(find('motd')).toBe('step 14 COPY <<EOF /etc/motd')
  })

  it('is the first FROM for what the base image has', () => {
    expect(find('base-1')).toBe('base 6 FROM ${PYTHON} AS runtime')
  })

  it('is nowhere in particular where only the list of packages is known and this image has written to it', () => {
    expect(find('apt', { layerIsLast: true })).toBe('image 6 FROM ${PYTHON} AS runtime')
    expect(find('base-1', { layerIsLast: true })).toBe('base 6 FROM ${PYTHON} AS runtime')
  })

  it('is nowhere in particular where history and Dockerfile do not fit, or no layer is known', () => {
    const triggered = [...base, entry('COPY . . # buildkit', 'onbuild'), ...own.slice(1)]
    expect(find('venv', {}, { history: triggered })).toMatch(/^image 6 /)
    expect(find('venv', {}, { history: own.slice(1) })).toMatch(/^image 6 /)
    expect(find('')).toMatch(/^image 6 /)
  })

  it('is found as well where nothing is below the Dockerfile', () => {
    expect(find('venv', {}, { history: own })).toMatch(/^step 13 /)
  })

  it('follows the stage that is built, by name or by number', () => {
    const history = [...base, entry('RUN /bin/sh -c pip install everything # buildkit', 'pip')]
    expect(find('pip', {}, { history, stage: 'build' })).toBe('step 4 RUN pip install everything')
    expect(find('pip', {}, { history, stage: '0' })).toBe('step 4 RUN pip install everything')
    expect(find('pip', {}, { history, stage: 'nobody' })).toBeUndefined()
  })

  it('is not known without a Dockerfile', () => {
    expect(originOf(aFinding({ layer: 'venv' }), undefined)).toBeUndefined()
  })
})
