#!/usr/bin/env node
// Turns the OpenAPI document of a Kubernetes release (api/openapi-spec/swagger.json), and the definitions of custom kinds,
// into the JSON Schemas that kubeconform reads, one strict schema a kind, so that manifests are checked without a network.
//   kubernetes-schemas.mjs SWAGGER DIRECTORY [CUSTOM-RESOURCE-DEFINITION.yaml...]
//   kubeconform -schema-location 'DIRECTORY/{{.ResourceKind}}{{.KindSuffix}}.json'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { load } from 'js-yaml'

const PREFIX = '#/definitions/'

// The document calls these strings; the API server takes numbers as well.
const LOOSER = {
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': { type: ['string', 'integer'] },
  'io.k8s.apimachinery.pkg.api.resource.Quantity': { type: ['string', 'number'] },
}

/** The definition with unknown fields forbidden wherever its fields are listed. */
function tighten(name, definition) {
  if (LOOSER[name]) return LOOSER[name]
  return definition.properties ? { ...definition, additionalProperties: false } : definition
}

/**
 * The same for the schema of a custom kind, which is one tree. What stands under anyOf, oneOf, allOf or not is a condition on fields
 * that are listed elsewhere, so it is left as it is.
 */
function tightenTree(schema) {
  if (schema['x-kubernetes-int-or-string']) return { type: ['string', 'integer'] }
  const { properties, items, additionalProperties: others, ...rest } = schema
  const open = schema['x-kubernetes-preserve-unknown-fields'] || !properties
  return {
    ...rest,
    ...(properties && {
      properties: Object.fromEntries(
        Object.entries(properties).map(([name, field]) => [name, tightenTree(field)]),
      ),
    }),
    ...(items && { items: tightenTree(items) }),
    ...(others instanceof Object && { additionalProperties: tightenTree(others) }),
    ...(!open && { additionalProperties: false }),
  }
}

/** Kind and schema of every version that a CustomResourceDefinition serves. */
function customKinds(path) {
  const { spec } = load(readFileSync(path, 'utf8'))
  return spec.versions
    .filter(({ served }) => served)
    .map(({ name, schema }) => ({
      kind: { group: spec.group, version: name, kind: spec.names.kind },
      schema: withObjectMetadata(tightenTree(schema.openAPIV3Schema)),
    }))
}

/** A definition says of the metadata only that there is some. */
function withObjectMetadata(schema) {
  const definition = 'io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta'
  const used = [...reach(definition, definitions)].map((each) => [each, definitions[each]])
  const properties = { ...schema.properties, metadata: { $ref: PREFIX + definition } }
  return { ...schema, properties, definitions: Object.fromEntries(used) }
}

/** The names of all definitions that `name` refers to, directly or not, itself included. */
function reach(name, definitions, seen = new Set()) {
  if (seen.has(name)) return seen
  seen.add(name)
  for (const [, next] of JSON.stringify(definitions[name]).matchAll(/"#\/definitions\/([^"]+)"/g)) {
    reach(next, definitions, seen)
  }
  return seen
}

/** deployment-apps-v1.json, service-v1.json: as kubeconform composes it. */
function fileName({ group, version, kind }) {
  return [kind, group.split('.')[0], version].filter(Boolean).join('-').toLowerCase() + '.json'
}

const [swagger, directory, ...custom] = process.argv.slice(2)
if (!swagger || !directory) {
  console.error(
    'usage: kubernetes-schemas.mjs SWAGGER DIRECTORY [CUSTOM-RESOURCE-DEFINITION.yaml...]',
  )
  process.exit(2)
}

const source = JSON.parse(readFileSync(swagger, 'utf8')).definitions
const definitions = Object.fromEntries(
  Object.entries(source).map(([name, definition]) => [name, tighten(name, definition)]),
)

mkdirSync(directory, { recursive: true })
let count = 0
for (const [name, definition] of Object.entries(definitions)) {
  const kinds = definition['x-kubernetes-group-version-kind'] ?? []
  // Several kinds in one definition are the protocol's own (DeleteOptions, WatchEvent), never manifests.
  if (kinds.length !== 1) continue
  const used = [...reach(name, definitions)].map((each) => [each, definitions[each]])
  const schema = { $ref: PREFIX + name, definitions: Object.fromEntries(used) }
  writeFileSync(join(directory, fileName(kinds[0])), JSON.stringify(schema))
  count += 1
}
for (const { kind, schema } of custom.flatMap(customKinds)) {
  writeFileSync(join(directory, fileName(kind)), JSON.stringify(schema))
  count += 1
}
console.log(`${count} schemas in ${directory}`)
