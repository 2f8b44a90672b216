import { mkdirSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { places } from './places.ts'

/** A folder for DOCKER_CONFIG in which "docker compose" and "docker buildx" are the lab's; nobody's login is in it. */
export const composeConfig: string = join(places.lab, 'compose')

export interface ComposePrograms {
  readonly compose: string
  readonly buildx: string
}

/** Makes the programs plugins of the docker client. */
export function ensureCompose({ compose, buildx }: ComposePrograms): void {
  const plugins = join(composeConfig, 'cli-plugins')
  rmSync(plugins, { recursive: true, force: true })
  mkdirSync(plugins, { recursive: true })
  symlinkSync(compose, join(plugins, 'docker-compose'))
  symlinkSync(buildx, join(plugins, 'docker-buildx'))
}
