import { debianImage } from './baseimages.ts'
import { toolPath } from './gotools.ts'
import { buildImage } from './imagebuild.ts'
import { REGISTRY, publishImage } from './registry.ts'

/** An image made of compiled programs; its folder in lab/images has the name of the first. */
export interface ProgramImage {
  readonly program: string
  /** Programs beside it. */
  readonly also?: readonly string[]
  /** True when it is a Debian with more in it than the programs. */
  readonly onDebian?: boolean
}

/** Builds the image and publishes it in the lab's registry, by default under a name of the lab's own; returns its reference. */
export async function publishProgram(
  { program, also = [], onDebian = false }: ProgramImage,
  host: string,
  name?: string,
): Promise<string> {
  const copies = Object.fromEntries([program, ...also].map((one) => [one, toolPath(one)]))
  const base = onDebian ? { base: await debianImage(host) } : {}
  const recipe = { name: program, copies, key: JSON.stringify(copies), ...base }
  const image = await buildImage(recipe, host)
  const published = name ?? `lab/${image.slice(image.indexOf('/') + 1)}`
  await publishImage(image, published, host)
  return `${REGISTRY}/${published}`
}
