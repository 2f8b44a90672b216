import { describe, expect, it } from '@jest/globals'
import { aFinding } from '../../tests/fakes/findings.ts'
import { joinScans } from './joinscans.ts'
import type { Scan } from './scanner.ts'

const scanOf = (platform: string, findings: Scan['findings'], cached = true): Scan => ({
  image: 'api',
  digest: platform,
  sboms: [{ platform, digest: platform, file: `${platform}.json` }],
  findings,
  history: [{ createdBy: platform, layer: undefined }],
  cached,
})

describe('the scans of several platforms', () => {
  it('are one scan: what only a later one has names it, worst first', () => {
    const both = aFinding({ id: 'A', severity: 'low', layer: 'sha256:1' })
    const one = aFinding({ id: 'B', severity: 'critical', layer: 'sha256:2' })
    const amd64 = scanOf('linux/amd64', [both])
    const arm64 = scanOf('linux/arm64', [one, { ...both, layer: 'sha256:3' }], false)
    const joined = joinScans('index', [amd64, arm64, scanOf('linux/s390x', [one])])
    expect(joined).toEqual({
      ...{ image: 'api', digest: 'index', cached: false, history: amd64.history },
      sboms: ['linux/amd64', 'linux/arm64', 'linux/s390x'].map((platform) => ({
        ...{ platform, digest: platform, file: `${platform}.json` },
      })),
      findings: [{ ...one, platform: 'linux/arm64', layer: '' }, both],
    })
  })

  it('of one platform are its own', () => {
    const scan = scanOf('', [aFinding({ id: 'A' })])
    expect(joinScans('', [scan])).toEqual(scan)
  })
})
