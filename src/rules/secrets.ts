import { at, isObject, listAt, textAt } from '../json.ts'
import type { KubeObject } from '../render/manifest.ts'
import type { Finding, Rule } from './rule.ts'
import { type Container, type Manifests, ofKind, textsAt } from './workload.ts'

/** Names whose value is a secret; `…_FILE` names a file and is none. */
const SECRET_NAME = /(PASSWORD|PASSWD|SECRET|TOKEN|API_?KEY|PRIVATE_?KEY|CREDENTIALS?)$/i
/** Values that are secrets whatever they are called. */
const SECRET_VALUES = [
  { what: 'a private key', pattern: /-----BEGIN [A-Z ]*PRIVATE KEY-----/ },
  { what: 'a URL with a password', pattern: /\b[a-z][a-z0-9+.-]*:\/\/[^\s/:@]*:[^\s/@]+@/i },
  { what: 'a signed token', pattern: /\beyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]{8,}/ },
  { what: 'an access key', pattern: /\b(sk-[\w-]{16,}|gh[a-z]_\w{20,}|AKIA[0-9A-Z]{16})/ },
]
/** Shorter ones are ordinary words and would be found everywhere. */
const SECRET_MIN_LENGTH = 8

export const secretFilesRule: Rule = {
  name: 'secret-files',
  claim:
    'Pods read Secrets from files: variables end in process listings, dumps and child processes.',
  check: ({ workloads }) =>
    workloads.flatMap(({ object, containers }) =>
      containers.flatMap(({ spec, path }) => [
        ...listAt(spec, 'env')
          .filter((entry) => isObject(at(entry, 'valueFrom', 'secretKeyRef')))
          .map((entry) => {
            const name = textAt(entry, 'name') ?? '?'
            const message = `mount the Secret, and give its path as ${name}_FILE`
            return { object, path: `${path}.env[${name}]`, message }
          }),
        ...listAt(spec, 'envFrom')
          .filter((entry) => isObject(at(entry, 'secretRef')))
          .map(() => {
            const message = 'mount the Secret, and give the paths as variables that end in _FILE'
            return { object, path: `${path}.envFrom`, message }
          }),
      ]),
    ),
}

/** Values are never named: what a rule says ends in logs. */
export const secretValuesRule: Rule = {
  name: 'secret-values',
  claim:
    'No value of a Secret, and nothing like one, stands in a ConfigMap, a variable or a command.',
  check: (manifests) => {
    const known = secretValues(manifests)
    return openTexts(manifests).flatMap(({ object, path, name, text }): Finding[] => {
      const what =
        SECRET_VALUES.find(({ pattern }) => pattern.test(text))?.what ??
        (known.some((value) => text.includes(value)) ? 'a value of a Secret' : undefined) ??
        (SECRET_NAME.test(name) && text !== '' ? 'what is called like a secret' : undefined)
      if (what === undefined) return []
      return [{ object, path, message: `this is ${what}; put it into a Secret and mount that` }]
    })
  },
}

type OpenText = {
  readonly object: KubeObject
  readonly path: string
  readonly name: string
  readonly text: string
}

/** Every text that people and programs can read without the right to read Secrets. */
function openTexts(manifests: Manifests): readonly OpenText[] {
  const maps = ofKind(manifests, 'ConfigMap').flatMap((object) =>
    Object.entries(textsAt(object, 'data')).map(([name, text]) => ({
      object,
      path: `data["${name}"]`,
      name,
      text,
    })),
  )
  const annotations = manifests.objects.flatMap((object) =>
    Object.entries(object.metadata.annotations ?? {}).map(([key, text]) => ({
      object,
      path: `metadata.annotations["${key}"]`,
      name: '',
      text,
    })),
  )
  const pods = manifests.workloads.flatMap(({ object, containers }) =>
    containers.flatMap((container) => containerTexts(object, container)),
  )
  return [...maps, ...annotations, ...pods]
}

function containerTexts(object: KubeObject, { spec, path }: Container): readonly OpenText[] {
  const variables = listAt(spec, 'env').map((entry) => {
    const name = textAt(entry, 'name') ?? '?'
    return { object, path: `${path}.env[${name}]`, name, text: textAt(entry, 'value') ?? '' }
  })
  const words = ['command', 'args'].flatMap((field) =>
    listAt(spec, field).map((word, index) => ({
      object,
      path: `${path}.${field}[${index}]`,
      name: '',
      text: String(word),
    })),
  )
  return [...variables, ...words]
}

function secretValues(manifests: Manifests): readonly string[] {
  return ofKind(manifests, 'Secret')
    .flatMap((secret) => [
      ...Object.values(textsAt(secret, 'stringData')),
      ...Object.values(textsAt(secret, 'data')).flatMap((encoded) => [
        encoded,
        Buffer.from(encoded, 'base64').toString('utf8'),
      ]),
    ])
    .filter((value) => value.length >= SECRET_MIN_LENGTH)
}
