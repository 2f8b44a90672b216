// The generated files of the chart: its schemas, the table of values in its README, and what it shares with a component.
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { parseYaml } from '../src/yaml.ts'
import { at } from '../src/json.ts'
import { markdownTable } from '../src/report/markdown.ts'
import { project } from './actions.ts'
import { chartSchema, subchartSchemas } from './chart-schema.ts'
import type { Schema } from './chart-values.ts'

const CHART = 'k8s/helm/todo-app'
export const CHART_README = `${CHART}/README.md`

/** Files that the chart must have inside, since Helm reads nothing from elsewhere. */
const SHARED = ['alerts.yaml', 'blackbox.yaml', 'scrape.yaml']

/** `values.schema.json` of the chart and of each subchart, and copies of what a component has too, by path. */
export async function chartFiles(): Promise<Readonly<Record<string, string>>> {
  const files: Record<string, string> = { [schemaFile(CHART)]: await schemaText(chartSchema) }
  for (const [name, schema] of Object.entries(subchartSchemas))
    files[schemaFile(`${CHART}/charts/${name}`)] = await schemaText(schema)
  for (const name of SHARED)
    files[`${CHART}/charts/monitoring/files/${name}`] = await readFile(
      join(project, 'k8s/components/monitoring', name),
      'utf8',
    )
  return files
}

/** One row for each value that may be set, with what `values.yaml` says where nobody says anything. */
export async function valuesTable(): Promise<string> {
  const rows = rowsOf(chartSchema, [], await readValues(CHART))
  for (const [name, schema] of Object.entries(subchartSchemas)) {
    const { global: _global, enabled: _enabled, ...own } = schema.properties ?? {}
    const values = await readValues(`${CHART}/charts/${name}`)
    rows.push(...rowsOf({ type: 'object', properties: own }, [name], values))
  }
  return markdownTable(['value', 'what it means', 'what it may be', 'default'], rows)
}

function rowsOf(schema: Schema, path: readonly string[], values: unknown): string[][] {
  return Object.entries(schema.properties ?? {}).flatMap(([name, value]) => {
    const here = [...path, name]
    // What is empty by default is laid over something else as a whole.
    const isWhole = Object.keys(at(values, name) ?? {}).length === 0
    if (value.properties !== undefined && !isWhole) return rowsOf(value, here, at(values, name))
    return [
      [`\`${here.join('.')}\``, value.description ?? '', allowed(value), shown(at(values, name))],
    ]
  })
}

function allowed(schema: Schema): string {
  if (schema.enum !== undefined) return schema.enum.map((value) => `\`${value}\``).join(', ')
  if (schema.minimum !== undefined && schema.maximum !== undefined)
    return `${schema.minimum} to ${schema.maximum}`
  if (schema.type === 'boolean') return '`true`, `false`'
  return schema.type === 'string' ? 'text' : schema.type === 'array' ? 'list' : 'map'
}

function shown(value: unknown): string {
  return value === undefined || value === '' ? '' : `\`${JSON.stringify(value)}\``
}

async function readValues(folder: string): Promise<unknown> {
  return parseYaml(await readFile(join(project, folder, 'values.yaml'), 'utf8'))
}

function schemaFile(folder: string): string {
  return `${folder}/values.schema.json`
}

async function schemaText(schema: Schema): Promise<string> {
  const style = await resolveConfig(join(project, schemaFile(CHART)))
  const text = JSON.stringify({ $schema: 'http://json-schema.org/draft-07/schema#', ...schema })
  return await format(text, { ...style, parser: 'json' })
}
