import { parseReference } from '../registry/reference.ts'
import { toYaml } from '../yaml.ts'
import type { ImageSet, LockedImage } from './imageset.ts'

/** An entry of a kustomization's `images`. */
export type KustomizeImage = {
  readonly name: string
  readonly newName: string
  readonly digest: string
}

/** The folder of the other forms of the lock file, beside it. */
export const LOCK_FORMS = 'images'

/** The image set in the forms that other tools read, by file name. All say the same as the lock file. */
export function lockForms(set: ImageSet): Readonly<Record<string, string>> {
  return {
    // The name that kustomize looks for: the folder can be named under `components`.
    'kustomization.yaml': toYaml(kustomizeComponent(set)),
    'images.values.yaml': toYaml(helmValues(set)),
    'images.kbld.yaml': toYaml(imagesLock(set)),
  }
}

/** Name in the manifests → where the image is; what kustomize calls `images`. */
export function kustomizeImages(set: ImageSet): readonly KustomizeImage[] {
  return sorted(set).map(([name, { reference, digest }]) => {
    const { registry, repository } = parseReference(reference)
    return { name, newName: `${registry}/${repository}`, digest }
  })
}

/** Values of the chart `todo-app`, and of any other that takes `global.images`. */
export function helmValues(set: ImageSet): unknown {
  const images = sorted(set).map(([name, { reference }]) => [name, reference] as const)
  return { global: { images: Object.fromEntries(images) } }
}

function kustomizeComponent(set: ImageSet): unknown {
  return {
    apiVersion: 'kustomize.config.k8s.io/v1alpha1',
    kind: 'Component',
    images: kustomizeImages(set),
  }
}

/** What kbld reads with `--file`, and imgpkg with `--lock` or as `.imgpkg/images.yml` of a bundle. */
function imagesLock(set: ImageSet): unknown {
  return {
    apiVersion: 'imgpkg.carvel.dev/v1alpha1',
    kind: 'ImagesLock',
    images: sorted(set).map(([name, { reference }]) => ({
      image: reference,
      annotations: { 'kbld.carvel.dev/id': name },
    })),
  }
}

function sorted(set: ImageSet): readonly (readonly [string, LockedImage])[] {
  return Object.entries(set.images).sort(([a], [b]) => (a < b ? -1 : 1))
}
