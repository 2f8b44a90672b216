import { describe, expect, it } from '@jest/globals'
import { fakeScreen } from '../../tests/fakes/screen.ts'
import type { Row, Waves } from '../world.ts'
import { plainVoice, showProgress } from './terminal.ts'

const PLAIN = { NO_COLOR: '1' }

function capture() {
  const output = { text: '' }
  const write = (text: string) => {
    output.text += text
    return true
  }
  return { output, stream: { write } }
}

function workload(short: string, given: Partial<Row> = {}): Row {
  return {
    ...{ state: 'waiting', short, name: short.replace('/', ' todo/'), isWorkload: true },
    ...{ detail: '0 of 2 pods are of this revision', doing: 'pulling image' },
    pods: { desired: 2, updated: 1, ready: 2, available: 2 },
    ...given,
  }
}
const done = { state: 'ready', detail: '2 of 2 pods available', doing: 'x' } as const

const rollout = {}
function waves(count: number, of: object = rollout): Waves {
  const names = ['services', 'workloads', 'routes']
  return { of, done: count, all: 3, now: names[count] ?? '', later: names.slice(count + 1) }
}

describe('progress in a log', () => {
  it('prints a row when it changes, and only then', () => {
    const { output, stream } = capture()
    const progress = showProgress(stream, plainVoice)
    progress.show(['a: 0 of 1', 'b: 0 of 1'])
    progress.show(['a: 0 of 1', 'b: 0 of 1'])
    progress.show(['a: 1 of 1', 'b: 0 of 1'])
    expect(output.text).toBe('  a: 0 of 1\n  b: 0 of 1\n  a: 1 of 1\n')
  })

  it('says of a workload how far it is, and not each step of its pods', () => {
    const { output, stream } = capture()
    const progress = showProgress(stream, plainVoice)
    progress.show([workload('Deployment/web')], waves(1))
    progress.show([workload('Deployment/web', { doing: 'starting' })], waves(1))
    progress.show([workload('Deployment/web', done)], waves(1))
    expect(output.text).toBe(
      '  … Deployment todo/web: 0 of 2 pods are of this revision\n  ✓ Deployment todo/web: 2 of 2 pods available\n',
    )
  })

  it('begins anew with each step, and has no control characters', async () => {
    const { output, stream } = capture()
    const progress = showProgress(stream, plainVoice)
    for (const title of ['one', 'two'])
      await progress.step(title, () => {
        progress.show(['a: ready'])
        return Promise.resolve()
      })
    expect(output.text.match(/a: ready/g)).toHaveLength(2)
    expect(output.text).toMatch(/▸ one\n {2}a: ready\n✓ one \(0\.\d s\)\n▸ two/)
    expect(output.text).not.toContain('\x1b')
  })

  it('is what a terminal gets that can do nothing but print', () => {
    const screen = fakeScreen()
    showProgress(screen, plainVoice, { TERM: 'dumb' }).show([workload('Deployment/web')])
    expect(screen.writes.join('')).not.toContain('\x1b')
  })

  it('does not call a step done that failed', async () => {
    const { output, stream } = capture()
    const work = () => Promise.reject(new Error('no'))
    await expect(showProgress(stream, plainVoice).step('one', work)).rejects.toThrow('no')
    expect(output.text).toBe('▸ one\n')
  })
})

describe('progress on a terminal', () => {
  it('shows the workloads in one table, which changes in place while lines pass above it', () => {
    const screen = fakeScreen(90)
    const progress = showProgress(screen, plainVoice, PLAIN)
    progress.show(
      [workload('Deployment/web'), workload('Job/migrate', { pods: undefined as never })],
      waves(1),
    )
    progress.say('requests of web go to both')
    progress.show([workload('Deployment/web', { doing: 'waiting for probe' })], waves(1))
    expect(screen.seen()).toEqual([
      '  requests of web go to both',
      '    workload        desired  updated  ready  available  state                        time',
      '  … Deployment/web        2        1      2          2  waiting for probe             0 s',
      '  … Job/migrate           –        –      –          –  pulling image                 0 s',
      '  0 s · wave 2 of 3: workloads, then routes',
    ])
  })

  it('keeps the table through all waves of a rollout, and begins a new one for the way back', async () => {
    const screen = fakeScreen()
    const progress = showProgress(screen, plainVoice, PLAIN)
    const failing = progress.step('Roll out workloads', () => {
      progress.show([workload('Job/migrate', done)], waves(0))
      progress.show([workload('Deployment/web', { doing: 'crashing' })], waves(1))
      return Promise.reject(new Error('no'))
    })
    await expect(failing).rejects.toThrow('no')
    progress.warn('it crashes')
    progress.show([workload('Deployment/web', done)], waves(1, {}))
    progress.close()
    progress.say('the end')
    const marks = screen.seen().map((line) => line.replaceAll(/ +/g, ' ').trim().slice(0, 18))
    expect(marks).toEqual([
      ...[
        '▸ Roll out workloa',
        '! it crashes',
        'workload desired u',
        '✓ Job/migrate 2 1 ',
        '… Deployment/web 2',
      ],
      ...[
        '0 s · wave 2 of 3:',
        'workload desired u',
        '✓ Deployment/web 2',
        '0 s · wave 2 of 3:',
        'the end',
      ],
    ])
  })

  it('writes once for each change, and nothing where nothing has changed', () => {
    const screen = fakeScreen()
    const progress = showProgress(screen, plainVoice, PLAIN)
    progress.show([workload('Deployment/web')], waves(1))
    progress.show([workload('Deployment/web')], waves(1))
    expect(screen.writes).toHaveLength(1)
    progress.say('news')
    expect(screen.writes).toHaveLength(2)
  })

  it.each([60, 40, 20])('fits a window of %s columns', (columns) => {
    const screen = fakeScreen(columns)
    const progress = showProgress(screen, plainVoice, PLAIN)
    const long = workload(`Deployment/${'a'.repeat(70)}`)
    progress.show([long, workload('Deployment/web')], waves(1))
    progress.show([long, workload('Deployment/web', done)], waves(1))
    expect(screen.seen()).toHaveLength(4)
    for (const line of screen.seen()) expect(line.length).toBeLessThan(columns)
  })

  it('shows those that are not ready where the window is too low for all', () => {
    const screen = fakeScreen(80, 10)
    const progress = showProgress(screen, plainVoice, PLAIN)
    const rows = Array.from({ length: 20 }, (_, index) =>
      workload(`Deployment/w${index}`, index === 17 ? {} : done),
    )
    progress.show(rows, waves(1))
    progress.show(
      rows.map((row) => ({ ...row, doing: 'starting' })),
      waves(1),
    )
    expect(screen.seen().length).toBeLessThan(10)
    expect(screen.seen().join('\n')).toMatch(/… Deployment\/w17 .*\n {2}and 15 more\n/)
  })

  it('shows one line in a window of a few lines', () => {
    const screen = fakeScreen(80, 4)
    const progress = showProgress(screen, plainVoice, PLAIN)
    progress.show([workload('Deployment/web')], waves(1))
    expect(screen.seen()).toEqual(['  0 s · wave 2 of 3: workloads, then routes'])
  })

  it('draws over what a narrower window has broken into more lines', () => {
    const screen = fakeScreen(100)
    const progress = showProgress(screen, plainVoice, PLAIN)
    progress.show(['a'.repeat(95)])
    // A window breaks the line of 97 columns into three when it gets narrow.
    const narrow = fakeScreen(40)
    narrow.write(screen.seen().join('\n') + '\n')
    Object.assign(screen, { columns: 40, write: narrow.write })
    progress.show(['news'])
    expect(narrow.seen()).toEqual(['  news'])
  })

  it('has colours, unless somebody does not want any', () => {
    const show = (environment: Record<string, string>) => {
      const screen = fakeScreen()
      showProgress(screen, plainVoice, environment).show([workload('Deployment/web', done)])
      return screen.writes.join('')
    }
    expect(show({})).toContain('\x1b[32m✓\x1b[39m')
    expect(show(PLAIN)).not.toMatch(/\x1b\[\d+m/)
  })

  it('never hides the cursor, so that nothing is to be restored however it ends', () => {
    const screen = fakeScreen()
    showProgress(screen, plainVoice, {}).show([workload('Deployment/web')], waves(1))
    expect(screen.writes.join('')).not.toContain('\x1b[?25')
  })

  it('lets no text of others move the cursor', () => {
    const screen = fakeScreen()
    const progress = showProgress(screen, plainVoice, PLAIN)
    progress.show([workload('Deployment/web', { doing: 'bad\x1b[9A\r\nthing' })], waves(1))
    expect(screen.seen().join('\n')).toMatch(/bad {2}thing/)
  })
})
