import { ensure } from '../lab/lab.ts'
import { messageOf } from '../src/errors.ts'
import { labParts } from './labparts.ts'
import { ensureTestPrograms, testPrograms } from './programs.ts'
import { runStage, type StageResult, type StageSpec, tell } from './stages.ts'

const NODE = process.execPath
const jest = (...args: readonly string[]): readonly [string, ...string[]] => [
  NODE,
  '--experimental-vm-modules',
  'node_modules/jest/bin/jest.js',
  ...args,
]
const QUIET = { NODE_NO_WARNINGS: '1' }

/** What needs nothing but the checkout: runs while the lab is being made. */
const alone: readonly StageSpec[] = [
  {
    name: 'lint and types',
    seconds: 35,
    minutes: 10,
    commands: [
      [NODE, 'node_modules/eslint/bin/eslint.js', '.'],
      [NODE, 'node_modules/prettier/bin/prettier.cjs', '--check', '--log-level=warn', '.'],
      [NODE, 'node_modules/typescript/bin/tsc', '--noEmit'],
      [NODE, 'scripts/docs.ts', '--check'],
    ],
  },
  {
    name: 'unit and contract tests',
    seconds: 12,
    minutes: 10,
    env: QUIET,
    commands: [
      jest(
        '--testPathIgnorePatterns',
        'tests/release',
        'tests/build',
        'tests/e2e',
        'tests/deploy',
        'tests/stack',
        'tests/registry',
        'tests/page',
        'node_modules',
      ),
    ],
  },
  {
    name: 'the registry client, against real registries and a hostile one',
    seconds: 50,
    minutes: 10,
    env: QUIET,
    commands: [jest('-c', 'tests/registry/jest.config.mjs')],
  },
  {
    name: 'report pages in a real browser',
    seconds: 15,
    minutes: 10,
    env: QUIET,
    commands: [jest('-c', 'tests/page/jest.config.mjs')],
  },
  {
    name: 'the actions, started from the release tree',
    seconds: 62,
    minutes: 10,
    env: QUIET,
    commands: [[NODE, 'scripts/build.ts'], [NODE, 'scripts/release.ts'], jest('tests/release')],
  },
  {
    name: 'the application on its own',
    seconds: 130,
    minutes: 20,
    commands: [['bash', 'app/test.sh', testPrograms.venv]],
  },
]

/** What runs on the lab. */
const onLab = async (
  environment: Readonly<Record<string, string>>,
): Promise<readonly StageSpec[]> => [
  {
    name: 'workflows are clean',
    seconds: 2,
    minutes: 5,
    commands: [
      [await testPrograms.tool('actionlint'), '-color'],
      [testPrograms.zizmor, '--offline', '--quiet', '.github', 'actions'],
    ],
  },
  {
    name: 'manifests render and fit the schemas',
    seconds: 2,
    minutes: 5,
    env: { ...environment, ...(await testPrograms.kubernetesSchemas()) },
    commands: [
      ['bash', 'scripts/validate-k8s.sh'],
      [NODE, 'scripts/check-manifests.ts'],
    ],
  },
  {
    name: 'the demo, twice',
    seconds: 95,
    minutes: 30,
    commands: [
      [NODE, 'lab/demo.ts'],
      [NODE, 'lab/demo.ts'],
    ],
  },
  {
    name: 'end to end, and broken on purpose',
    seconds: 270,
    minutes: 25,
    env: { ...QUIET, ...environment },
    commands: [jest('-c', 'tests/e2e/jest.config.mjs')],
  },
  {
    name: 'a deploy, before and around the write',
    seconds: 150,
    minutes: 15,
    env: { ...QUIET, ...environment },
    // The failures, faults and strategies take longer: "npm run test:deploy" runs all of them.
    commands: [
      jest(
        '-c',
        'tests/deploy/jest.config.mjs',
        'ownership',
        'preflight',
        'order',
        'early',
        'statefulset',
      ),
    ],
  },
  {
    name: 'build-images: bad input, full disks, killed runs, and what cosign says',
    seconds: 240,
    // Where it is not there yet, cosign is compiled first.
    minutes: 40,
    env: { ...QUIET, ...environment },
    commands: [jest('-c', 'tests/build/jest.config.mjs')],
  },
  {
    name: 'the stack: images, environments, chart, rights, network, secrets, data',
    seconds: 1600,
    minutes: 50,
    commands: [[NODE, 'tests/stack/main.ts']],
  },
  {
    name: 'workflows for real, under act',
    seconds: 70,
    minutes: 15,
    env: environment,
    commands: [[NODE, 'tests/act/run.ts']],
  },
]

/** What the stages on the lab take together; they are known only when it stands. */
const SECONDS_ON_LAB = 2400

function secondsOf(stages: readonly StageSpec[]): number {
  return stages.reduce((sum, { seconds }) => sum + seconds, 0)
}

async function all(): Promise<readonly StageResult[]> {
  const results: StageResult[] = []
  const lab = ensure([...labParts, 'workflows'])
  lab.catch(() => undefined)
  ensureTestPrograms(tell)
  const run = async (stages: readonly StageSpec[], secondsAfter: number) => {
    for (const [index, stage] of stages.entries())
      results.push(await runStage(stage, secondsOf(stages.slice(index + 1)) + secondsAfter))
  }
  await run(alone, SECONDS_ON_LAB)
  const { environment } = await lab
  await run(await onLab(environment), 0)
  return results
}

const started = Date.now()
try {
  const results = await all()
  tell('where the time went:')
  for (const { name, passed, seconds, why } of results)
    tell(
      `${passed ? '✓' : '✗'} ${seconds.toFixed(0).padStart(5)} s  ${name}${why === '' ? '' : `: ${why}`}`,
    )
  tell(`${((Date.now() - started) / 1000).toFixed(0)} s in all`)
  const failed = results.filter(({ passed }) => !passed).length
  process.stdout.write(`stages: ${results.length - failed} passed, ${failed} failed\n`)
  process.exitCode = failed === 0 ? 0 : 1
} catch (error) {
  tell(messageOf(error))
  process.exitCode = 1
}
