import { at, listAt, numberAt, textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import type { Container, Workload } from './workload.ts'

/** A port by number or by name, as probes, Services and policies point at it. */
export type PortPointer = string | number

export function portPointerAt(value: unknown, ...keys: readonly string[]): PortPointer | undefined {
  const found = at(value, ...keys)
  return typeof found === 'string' || typeof found === 'number' ? found : undefined
}

/** Whether the container says that it listens there. */
export function declares(container: Container, pointer: PortPointer): boolean {
  return portsOf(container).some(({ name, number }) => pointer === name || pointer === number)
}

export function portsOf(container: Container): readonly {
  readonly name: string
  readonly number: number | undefined
}[] {
  return listAt(container.spec, 'ports').map((port) => ({
    name: textAt(port, 'name') ?? '',
    number: numberAt(port, 'containerPort'),
  }))
}

/** The numbers and names under which a workload declares the same port as `pointer`. */
export function synonyms(workload: Workload, pointer: PortPointer): readonly PortPointer[] {
  const same = workload.containers
    .flatMap(portsOf)
    .filter(({ name, number }) => pointer === name || pointer === number)
  return [pointer, ...same.flatMap(({ name, number }) => [name, number ?? name])]
}

/** Where the traffic of a Service's port arrives: `targetPort`, or the same number. */
export function targetOf(port: unknown): PortPointer | undefined {
  return portPointerAt(port, 'targetPort') ?? portPointerAt(port, 'port')
}

/** The selector of a Service in the form that other selectors have, or undefined where it selects nothing by itself. */
export function selectorOf(service: KubeObject): unknown {
  const selector = at(service, 'spec', 'selector')
  return selector === undefined ? undefined : { matchLabels: selector }
}
