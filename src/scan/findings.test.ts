import { describe, expect, it } from '@jest/globals'
import { countFindings, parseFindings, reaches, SEVERITIES } from './findings.ts'

const match = (id: string, severity: string | undefined, more: object = {}) => ({
  vulnerability: { id, severity, fix: { versions: ['2.0'], state: 'fixed' } },
  artifact: { name: 'openssl', version: '1.0', locations: [{ path: '/lib/apk/db' }] },
  ...more,
})
const report = (...matches: readonly object[]) => ({ matches })

describe('the findings of a scan', () => {
  it('come worst first, then by name', () => {
    const text = report(
      match('CVE-3', 'Medium'),
      match('CVE-2', 'Critical'),
      match('CVE-1', 'Critical'),
    )
    const ids = parseFindings(text).map(({ id }) => id)
    expect(ids).toEqual(['CVE-1', 'CVE-2', 'CVE-3'])
  })

  it('say which package it is, where, and what mends it', () => {
    expect(parseFindings(report(match('CVE-1', 'High')))).toMatchObject([
      {
        id: 'CVE-1',
        severity: 'high',
        package: 'openssl',
        version: '1.0',
        fixedIn: ['2.0'],
        location: '/lib/apk/db',
        knownExploited: false,
        score: undefined,
      },
    ])
  })

  it('say by which names it goes, how bad it is and whether it is used in attacks, whoever of the sources knows', () => {
    const cvss = (baseScore: number) => [{ metrics: { baseScore } }]
    const related = {
      id: 'CVE-9',
      cvss: cvss(9.8),
      knownExploited: [{ cve: 'CVE-9' }],
      description: 'it breaks',
    }
    const own = match('GHSA-1', 'Low', { relatedVulnerabilities: [related] })
    const vulnerability = { ...own.vulnerability, cvss: cvss(3.1), dataSource: 'https://a.example' }
    expect(parseFindings(report({ ...own, vulnerability }))).toMatchObject([
      {
        aliases: ['CVE-9'],
        score: 9.8,
        knownExploited: true,
        description: 'it breaks',
        url: 'https://a.example',
      },
    ])
  })

  it('used in attacks come before all others', () => {
    const exploited = { relatedVulnerabilities: [{ id: 'x', knownExploited: [{}] }] }
    const text = report(match('CVE-1', 'Critical'), match('CVE-2', 'Low', exploited))
    expect(parseFindings(text).map(({ id }) => id)).toEqual(['CVE-2', 'CVE-1'])
  })

  it('keep one whose severity nobody named, as unknown', () => {
    const text = report(match('CVE-1', undefined), match('CVE-2', 'Catastrophic'))
    expect(countFindings(parseFindings(text))).toMatchObject({ unknown: 2, critical: 0 })
  })

  it('name the layer of files of the package itself, before that of a list that others write anew', () => {
    const status = { path: '/var/lib/dpkg/status', layerID: 'sha256:last' }
    const list = { path: '/var/lib/dpkg/info/openssl.list', layerID: 'sha256:base' }
    const of = (...locations: readonly object[]) =>
      parseFindings(
        report(match('CVE-1', 'High', { artifact: { name: 'openssl', version: '1', locations } })),
      )
    expect(of(status, list)).toMatchObject([{ layer: 'sha256:base', layerIsLast: false }])
    expect(of(status)).toMatchObject([{ layer: 'sha256:last', layerIsLast: true }])
    const apk = { path: '/lib/apk/db/installed', layerID: 'sha256:last' }
    expect(of(apk)).toMatchObject([{ layerIsLast: true }])
    const jar = { path: '/srv/lib/apk/db/installed.jar', layerID: 'sha256:jar' }
    expect(of(jar)).toMatchObject([{ layer: 'sha256:jar', layerIsLast: false }])
    expect(of()).toMatchObject([{ layer: '', layerIsLast: false }])
  })
})

describe('a threshold', () => {
  it.each([
    { threshold: 'critical', reached: ['critical'] },
    { threshold: 'high', reached: ['critical', 'high'] },
    { threshold: 'unknown', reached: ['critical', 'high', 'medium', 'low', 'negligible'] },
    { threshold: 'negligible', reached: ['critical', 'high', 'medium', 'low', 'negligible'] },
  ] as const)('of $threshold is reached by $reached', ({ threshold, reached }) => {
    expect(SEVERITIES.filter((severity) => reaches(severity, threshold))).toEqual(reached)
  })
})
