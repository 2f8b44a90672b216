import { textAt } from '../json.ts'
import type { Rule } from './rule.ts'

const BY_DIGEST = /@sha256:[a-f0-9]{64}$/

export const imageDigestRule: Rule = {
  name: 'image-digest',
  claim: 'Each image is named by its digest: a tag may mean other bytes tomorrow.',
  check: ({ workloads }) =>
    workloads.flatMap(({ object, containers }) =>
      containers
        .map(({ spec, path }) => ({ image: textAt(spec, 'image') ?? '', path }))
        .filter(({ image }) => !BY_DIGEST.test(image))
        .map(({ image, path }) => ({
          object,
          path: `${path}.image`,
          message: `"${image}" has no digest; name a target of the bake file, or write name@sha256:…`,
        })),
    ),
}
