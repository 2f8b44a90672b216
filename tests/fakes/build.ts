import { generateKeyPairSync } from 'node:crypto'
import type { Circumstances } from '../../actions/build-images/buildreport.ts'
import type { BuildResult } from '../../src/build/buildimages.ts'
import type { ImageSet } from '../../src/release/imageset.ts'
import type { Finding } from '../../src/scan/findings.ts'
import type { Decision, Judged } from '../../src/scan/judgement.ts'
import { defaultPolicy } from '../../src/scan/policy.ts'
import { aFinding } from './findings.ts'

/** Text as a stranger would like it to be read. */
export const HOSTILE = `<script>alert(1)</script><img src=x onerror="alert(2)"> | \`x\` [y](javascript:z)`

const REGISTRY = 'registry.example.com:5000/acme/todo'
const NAMES = ['ai-agent', 'backend', 'database', 'frontend', 'mcp-server']

const digestOf = (digit: string) => `sha256:${digit.repeat(64)}`

const set: ImageSet = {
  version: 1,
  images: Object.fromEntries(
    NAMES.map((name, index) => {
      const digest = digestOf(String(index + 1))
      const size = 90_000_000 + index * 23_456_789
      return [name, { reference: `${REGISTRY}/${name}@${digest}`, digest, size }]
    }),
  ),
}

const FROM = { text: 'FROM python:3.11-slim', line: 7 }
const steps = new Map([['sha256:own', { text: 'COPY --from=build /opt/venv /opt/venv', line: 12 }]])

function judged(image: string, of: Partial<Finding>, decision: Decision): Judged {
  return { image, finding: aFinding(of), decision }
}

/** Findings of every severity and every decision; `stops` says how many stop. */
function someFindings(stops: number): readonly Judged[] {
  const stopping = Array.from({ length: stops }, (_, index) =>
    judged(
      index % 2 === 0 ? 'backend' : 'ai-agent',
      {
        id: `CVE-2026-${1000 + index}`,
        severity: index % 3 === 0 ? 'critical' : 'high',
        package: 'openssl',
        version: '3.0.17-1~deb12u2',
        fixedIn: ['3.0.18-1~deb12u1'],
        layer: index % 2 === 0 ? 'sha256:base' : 'sha256:own',
        knownExploited: index === 0,
      },
      { kind: 'stops', why: index === 0 ? 'known-exploited' : 'threshold' },
    ),
  )
  const ignore = {
    id: 'CVE-2025-2',
    reason: `The parser is never given ${HOSTILE}`,
    owner: 'security@example.com',
    expires: '2026-12-31',
  }
  const vex = {
    id: 'CVE-2025-3',
    aliases: [],
    status: 'not_affected',
    why: 'not built in',
  } as const
  return [
    ...stopping,
    judged(
      'frontend',
      { id: 'CVE-2025-2', severity: 'high', package: HOSTILE },
      { kind: 'ignored', by: ignore },
    ),
    judged(
      'database',
      { id: 'CVE-2025-3', severity: 'high' },
      { kind: 'harmless', by: { ...vex, products: [] } },
    ),
    judged(
      'backend',
      { id: HOSTILE, severity: 'medium', url: 'https://a.example/1' },
      { kind: 'passes', why: 'below-threshold' },
    ),
    judged(
      'backend',
      { id: 'CVE-2025-5', severity: 'low' },
      { kind: 'passes', why: 'below-threshold' },
    ),
    judged(
      'frontend',
      { id: 'CVE-2025-6', severity: 'negligible' },
      { kind: 'passes', why: 'below-threshold' },
    ),
    judged(
      'frontend',
      { id: 'CVE-2025-7', severity: 'unknown' },
      { kind: 'passes', why: 'below-threshold' },
    ),
  ]
}

/** What a build of five images gave; `given` replaces what a test is about. */
export function aBuild(
  given: Partial<BuildResult> & { readonly stops?: number } = {},
): BuildResult {
  const { stops = 0, ...more } = given
  const findings = someFindings(stops)
  const base = {
    name: 'python:3.11-slim',
    reference: `docker.io/library/python@${digestOf('a')}`,
    created: new Date('2026-09-01T00:00:00Z'),
    ageDays: 81,
    newer: { reference: `docker.io/library/python@${digestOf('b')}`, created: undefined, fixes: 2 },
    doubt: '',
  }
  const unknown = {
    ...base,
    name: 'node:24-alpine',
    newer: undefined,
    doubt: 'the registry did not answer',
  }
  const release = {
    reference: `${REGISTRY}/release@${digestOf('f')}`,
    digest: digestOf('f'),
    descriptor: {
      mediaType: 'application/vnd.oci.image.manifest.v1+json',
      digest: digestOf('f'),
      size: 9,
    },
    images: set,
    manifests: new Map<string, Buffer>(),
    revision: '0123456789abcdef0123456789abcdef01234567',
  }
  return {
    outcome: stops > 0 ? 'stopped' : 'published',
    images: set,
    built: ['backend', 'frontend'],
    why: {
      'ai-agent': 'unchanged',
      backend: `built, since file src/${HOSTILE}.py changed`,
      database: 'unchanged',
      frontend:
        'built, since base node:24-alpine changed, file package-lock.json changed, and 4 more',
      'mcp-server': 'unchanged',
    },
    checks: [
      {
        file: 'docker/backend/Dockerfile',
        line: 2,
        message: `Deprecated: ${HOSTILE}`,
        url: 'https://a.example',
      },
    ],
    scans: NAMES.map((image) => ({
      image,
      digest: set.images[image]?.digest ?? '',
      sboms: [{ platform: '', digest: set.images[image]?.digest ?? '', file: '/nowhere' }] as const,
      findings: findings.filter((one) => one.image === image).map(({ finding }) => finding),
      history: [],
      cached: false,
    })),
    judgement: { findings, notes: [`The ignore of CVE-1 (${HOSTILE}) matches nothing; remove it`] },
    database: {
      folder: '',
      built: '2026-11-20T08:00:00Z',
      checksum: digestOf('c'),
      ageDays: 1,
      scanner: '0.110.0',
    },
    bases: new Map([
      ['backend', [base]],
      ['ai-agent', [base]],
      ['frontend', [unknown]],
    ]),
    earlier: new Map([
      ['backend', { digest: digestOf('d'), size: 112_000_000, of: 'newest' }],
      ['frontend', { digest: digestOf('e'), size: 165_000_000, of: 'newest' }],
      ['ai-agent', { digest: digestOf('1'), size: 90_000_000, of: 'newest' }],
    ]),
    origins: new Map([
      ['backend', { file: 'docker/backend/Dockerfile', from: FROM, steps }],
      ['ai-agent', { file: 'docker/ai-agent/Dockerfile', from: FROM, steps }],
    ]),
    ...(stops > 0 ? {} : { release }),
    ...more,
  }
}

/** The run that such a build came of. */
export function aRun(): Circumstances {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const titles = [
    ['Read the bake file', 0.8],
    ['Compare with what was built before', 1.9],
    ['Build 2 images', 74.2],
    ['Scan 5 images', 12.4],
    ['Publish the images', 6.1],
    ['Sign', 1.3],
    ['Publish the release', 0.2],
  ] as const
  let start = 0
  return {
    policy: defaultPolicy,
    at: new Date('2026-11-21T12:00:00.000Z'),
    revision: '0123456789abcdef0123456789abcdef01234567',
    seconds: 97.3,
    trust: { kind: 'key', publicKey },
    steps: titles.map(([title, seconds]) => {
      const step = { title, start, seconds, state: 'done' } as const
      start += seconds
      return step
    }),
  }
}
