import type { Finding } from '../../src/scan/findings.ts'

/** A finding in npm's package `p`, with what a test says about it. */
export function aFinding(of: Partial<Finding>): Finding {
  const { id = 'CVE-1' } = of
  return {
    id,
    aliases: [`GHSA-of-${id}`],
    severity: 'high',
    package: 'p',
    version: '1.0.0',
    purl: 'pkg:npm/p@1.0.0',
    fixedIn: [],
    location: '/app/node_modules/p/package.json',
    platform: '',
    layer: '',
    layerIsLast: false,
    description: 'it breaks',
    url: 'https://example.org/1',
    score: undefined,
    knownExploited: false,
    ...of,
  }
}
