import {
  boolYaml11Tag,
  CORE_SCHEMA,
  defineScalarTag,
  dump,
  FAILSAFE_SCHEMA,
  loadAll,
  mergeTag,
  NOT_RESOLVED,
  nullCoreTag,
  type Schema,
  YAMLException,
} from 'js-yaml'

const DIGITS = ['+', '-', '.', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9']
/** `0400` is octal, as file modes are written. */
const INTEGER = /^[-+]?(?:0b[01]+|0o?[0-7]+|0x[0-9a-fA-F]+|0|[1-9][0-9]*)$/
const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/
const OCTAL = /^0(?=[0-7])/

/** A line that begins a document: no text of a document can have it. */
const NEXT_DOCUMENT = /^---(?=\s|$)/m

/**
 * Scalars as `kubectl` and Helm understand them, by way of sigs.k8s.io/yaml: truth values and octal numbers of YAML 1.1, but neither its
 * dates nor its numbers to the base of sixty.
 */
const KUBERNETES = FAILSAFE_SCHEMA.withTags(
  nullCoreTag,
  boolYaml11Tag,
  mergeTag,
  defineScalarTag('tag:yaml.org,2002:int', {
    implicit: true,
    implicitFirstChars: DIGITS,
    resolve: (source) => numberOf(source, INTEGER),
    identify: () => false,
  }),
  defineScalarTag('tag:yaml.org,2002:float', {
    implicit: true,
    implicitFirstChars: DIGITS,
    resolve: (source) => numberOf(source, FLOAT),
    identify: () => false,
  }),
)

/** What is wrong with a text, and where; never the text itself, which may hold a secret. */
export class YamlFault extends Error {}

/** Parses a file of ours, of one document, by YAML 1.2; undefined where it is empty. Throws `YamlFault`. */
export function parseYaml(text: string): unknown {
  return parse(text, CORE_SCHEMA)
}

/** Parses one document of manifests or values as `kubectl` and Helm do; undefined where it is empty. Throws `YamlFault`. */
export function parseKubernetesYaml(text: string): unknown {
  return parse(text, KUBERNETES)
}

/** The documents of a stream, not parsed yet: the fault of one says nothing of the others. */
export function splitDocuments(text: string): readonly string[] {
  return text.split(NEXT_DOCUMENT)
}

/**
 * YAML that all readers understand alike: what one of them would take for something else than a text is quoted. Without folded lines
 * and without references. Of `value` that which JSON says of it.
 */
export function toYaml(value: unknown): string {
  // By way of JSON: what the writer takes for no plain object, such as a copy by structuredClone in another realm, it would leave out.
  const plain: unknown = JSON.parse(JSON.stringify(value))
  return dump(plain, { lineWidth: -1, noRefs: true, quoteStyle: 'double' })
}

function parse(text: string, schema: Schema): unknown {
  try {
    const [document, ...more] = loadAll(text, { schema })
    if (more.length > 0) throw new YamlFault('more than one document')
    return document
  } catch (error) {
    if (!(error instanceof YAMLException)) throw error
    const { reason, mark } = error
    const place = mark === undefined ? '' : ` at line ${mark.line + 1}, column ${mark.column + 1}`
    throw new YamlFault(`${reason}${place}`, { cause: error })
  }
}

function numberOf(source: string, form: RegExp): number | typeof NOT_RESOLVED {
  const plain = source.replaceAll('_', '')
  if (!form.test(plain)) return NOT_RESOLVED
  const sign = plain.startsWith('-') ? -1 : 1
  const digits = plain.replace(/^[-+]/, '')
  return sign * Number(form === INTEGER ? digits.replace(OCTAL, '0o') : digits)
}
