import { describe, expect, it } from '@jest/globals'
import { BRIDGE, findAnotherLab, namesOfLinks } from './bridge.ts'
import { mountsBelow } from './leftovers.ts'
import { findMissingSystem } from './readiness.ts'
import { isHeld } from './lock.ts'
import { isOurs, startOf } from './processes.ts'

describe('what a machine that was stopped hard leaves', () => {
  const dockerd = {
    pid: 7,
    commandLine: ['/usr/sbin/dockerd', '--config-file', '/cache/lab/engine/daemon.json'],
    startedAt: '11',
  }

  it.each([
    { name: 'our daemon', process: dockerd, ours: true },
    {
      name: 'a daemon of somebody else',
      process: { ...dockerd, commandLine: ['dockerd', '--config-file', '/etc/d.json'] },
      ours: false,
    },
    {
      name: 'another program that got the number',
      process: { ...dockerd, commandLine: ['vi', '/cache/lab/engine/daemon.json'] },
      ours: false,
    },
    { name: 'no process', process: undefined, ours: false },
  ])('tells whose the pid file is: $name', ({ process, ours }) => {
    expect(isOurs(process, 'dockerd', '/cache/lab/engine/daemon.json')).toBe(ours)
  })

  it('reads the start of a process whose name holds blanks and brackets', () => {
    const fields = Array.from({ length: 30 }, (_, at) => String(at + 3))
    expect(startOf(`7 (a ) b) S ${fields.slice(1).join(' ')}`)).toBe('22')
  })

  it.each([
    {
      name: 'the process that took it lives',
      owner: { pid: 7, startedAt: '11' },
      startedAt: '11',
      held: true,
    },
    {
      name: 'its number belongs to a later process',
      owner: { pid: 7, startedAt: '11' },
      startedAt: '99',
      held: false,
    },
    {
      name: 'there is no such process',
      owner: { pid: 7, startedAt: '11' },
      startedAt: undefined,
      held: false,
    },
    { name: 'the file was cut off', owner: undefined, startedAt: '11', held: false },
  ])('breaks a lock that nobody holds: $name', ({ owner, startedAt, held }) => {
    expect(isHeld(owner, startedAt)).toBe(held)
  })

  it.each([
    {
      name: 'pods that were started with the node',
      at: '2026-01-01T10:00:09Z',
      missing: undefined,
    },
    {
      name: 'pods whose state is of before',
      at: '2026-01-01T09:00:00Z',
      missing: 'a ready kube-system/kube-proxy',
    },
  ])('believes only what a restarted cluster says now: $name', ({ at, missing }) => {
    const since = new Date('2026-01-01T10:00:00Z')
    const names = ['kube-system/coredns-1', 'local-path-storage/local-path-provisioner-1']
    const lines = [
      ...names.map((name) => `${name} true 2026-01-01T10:00:05Z`),
      `kube-system/kube-proxy-x true ${at}`,
    ]
    expect(findMissingSystem(lines.join('\n'), since)).toBe(missing)
  })

  it('unmounts the innermost first, and nothing beside the folder', () => {
    const info = [
      '/cache/docker',
      '/cache/docker/overlay2/a\\040b/merged',
      '/cache/docker-other',
      '/',
    ].map((path) => `1 2 0:1 / ${path} rw - x x rw`)
    expect(mountsBelow(info.join('\n'), ['/cache/docker'])).toEqual([
      '/cache/docker/overlay2/a b/merged',
      '/cache/docker',
    ])
  })

  it('finds the interfaces that containers of a killed engine left on the bridge', () => {
    const shown = [
      '1396: veth9ece279@if1395: <BROADCAST,UP> mtu 1500 qdisc noqueue master todo-deploy0 state UP',
      '1403: vethfe594d7: <BROADCAST,UP> mtu 1500 qdisc noqueue master todo-deploy0 state UP',
      '',
    ]
    expect(namesOfLinks(shown.join('\n'))).toEqual(['veth9ece279', 'vethfe594d7'])
  })

  it.each([
    { name: 'of another cache folder', path: '/other/daemon.json', bridge: BRIDGE, found: 7 },
    { name: 'our own', path: '/cache/lab/engine/daemon.json', bridge: BRIDGE, found: undefined },
    { name: 'no lab', path: '/etc/daemon.json', bridge: undefined, found: undefined },
  ])('tells an engine beside which no lab can start: $name', ({ path, bridge, found }) => {
    const processes = [{ ...dockerd, commandLine: ['/usr/sbin/dockerd', '--config-file', path] }]
    const other = findAnotherLab(processes, '/cache/lab/engine/daemon.json', () => bridge)
    expect(other?.pid).toBe(found)
  })

  it('looks into no file of an engine that names none', () => {
    const processes = [{ ...dockerd, commandLine: ['/usr/bin/dockerd', '-H', 'fd://'] }]
    const read: string[] = []
    const other = findAnotherLab(processes, '/cache/daemon.json', (path) => {
      read.push(path)
      return BRIDGE
    })
    expect([other, read]).toEqual([undefined, []])
  })
})
