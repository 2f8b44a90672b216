import { publishProgram } from './programimage.ts'
import { REGISTRY } from './registry.ts'
import { programsOf, versionOf } from './toolset.ts'
import type { ModuleName } from './toolset.ts'

/** Publishes Prometheus and the blackbox exporter under the names that their makers give to their images. */
export async function publishMonitoring(host: string): Promise<void> {
  const exporter = `prom/blackbox-exporter:${versionIn('probe', 'blackbox-exporter')}`
  await publishProgram({ program: 'blackbox-exporter' }, host, exporter)
  await publishProgram({ program: 'prometheus', also: ['promtool'] }, host, prometheusName())
}

/** Prometheus in the lab's registry. */
export function prometheusImage(): string {
  return `${REGISTRY}/${prometheusName()}`
}

function prometheusName(): string {
  return `prom/prometheus:${releaseOf(versionIn('monitoring', 'prometheus'))}`
}

function versionIn(name: ModuleName, program: string): string {
  const how = programsOf(name)[program]
  if (how === undefined) throw new TypeError(`no program ${program} in ${name}`)
  return versionOf(name, how)
}

/** The release of Prometheus that a version of its module is: v0.313.5 of the one is v3.13.5 of the other. */
export function releaseOf(version: string): string {
  return version.replace(/^v0\.(\d)(\d\d)\./, (_, major: string, minor: string) => {
    return `v${major}.${Number(minor)}.`
  })
}
