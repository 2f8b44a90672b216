// Writes what is generated from the code: the tables in the README of each action and of the chart, the chart's schemas and
// copies, the schemas of environments.yaml and of the scan policy, and the list of our rules for manifests.
// With `--check` it writes nothing, names what is out of date, and ends with status 1.
import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { format, resolveConfig } from 'prettier'
import { parseYaml } from '../src/yaml.ts'
import { schema } from '../src/environments/schema.ts'
import { markdownTable } from '../src/report/markdown.ts'
import { RULES } from '../src/rules/check.ts'
import { policySchema } from '../src/scan/policyschema.ts'
import { actionNames, project } from './actions.ts'
import { CHART_README, chartFiles, valuesTable } from './chart-pages.ts'

type Page = { readonly file: string; readonly content: string }

type ActionFile = {
  readonly inputs: Readonly<
    Record<string, { description: string; required: boolean; default?: string }>
  >
  readonly outputs: Readonly<Record<string, { description: string }>>
}

async function writeDocs(check: boolean): Promise<number> {
  const pages = [
    await schemaPage('environments.schema.json', schema),
    await schemaPage('scan-policy.v1.schema.json', policySchema),
    ...(await chartPages()),
    await rulesPage(),
  ]
  for (const name of await actionNames()) pages.push(await readmeOf(name))
  const stale: string[] = []
  for (const { file, content } of pages) {
    const path = join(project, file)
    const now = await readFile(path, 'utf8').catch(() => '')
    if (now === content) continue
    stale.push(file)
    if (!check) await writeFile(path, content)
  }
  for (const file of stale)
    process.stdout.write(`${file} ${check ? 'is out of date; run "npm run docs"' : 'written'}\n`)
  return check && stale.length > 0 ? 1 : 0
}

async function schemaPage(name: string, content: unknown): Promise<Page> {
  const file = `schemas/${name}`
  const style = await resolveConfig(join(project, file))
  return { file, content: await format(JSON.stringify(content), { ...style, parser: 'json' }) }
}

async function chartPages(): Promise<readonly Page[]> {
  const files = Object.entries(await chartFiles()).map(([file, content]) => ({ file, content }))
  const readme = await readFile(join(project, CHART_README), 'utf8')
  const part = { name: 'values', table: await valuesTable(), file: CHART_README }
  return [...files, { file: CHART_README, content: fill(readme, part) }]
}

async function readmeOf(action: string): Promise<Page> {
  const file = `actions/${action}/README.md`
  const text = await readFile(join(project, file), 'utf8')
  const { inputs, outputs } = parseYaml(
    await readFile(join(project, 'actions', action, 'action.yml'), 'utf8'),
  ) as ActionFile
  const inputRows = Object.entries(inputs).map(([name, { description, required, ...rest }]) => [
    `\`${name}\``,
    description,
    required ? '**required**' : defaultOf(rest.default),
  ])
  const outputRows = Object.entries(outputs).map(([name, { description }]) => [
    `\`${name}\``,
    description,
  ])
  const tables = {
    inputs: markdownTable(['input', 'what it means', 'default'], inputRows),
    outputs: markdownTable(['output', 'what it holds'], outputRows),
  }
  const content = Object.entries(tables).reduce(
    (page, [name, table]) => fill(page, { name, table, file }),
    text,
  )
  return { file, content }
}

async function rulesPage(): Promise<Page> {
  const file = 'docs/manifest-rules.md'
  const rows = RULES.map(({ name, claim }) => [`\`${name}\``, claim])
  const table = markdownTable(['rule', 'what has to be so'], rows)
  const text = await readFile(join(project, file), 'utf8')
  return { file, content: fill(text, { name: 'rules', table, file }) }
}

function defaultOf(value: string | undefined): string {
  return value === undefined || value === '' ? '' : `\`${value}\``
}

/** Puts a table between its two marks. A page without them is a mistake. */
function fill(
  page: string,
  part: { readonly name: string; readonly table: string; readonly file: string },
): string {
  const begin = `<!-- ${part.name}: written by "npm run docs" -->`
  const end = `<!-- end of ${part.name} -->`
  const [before, rest] = splitOnce(page, begin)
  const [, after] = splitOnce(rest ?? '', end)
  if (rest === undefined || after === undefined)
    throw new Error(`${part.file} lacks the marks "${begin}" and "${end}"`)
  return `${before}${begin}\n\n${part.table}\n\n${end}${after}`
}

function splitOnce(text: string, mark: string): readonly [string, string | undefined] {
  const place = text.indexOf(mark)
  return place < 0 ? [text, undefined] : [text.slice(0, place), text.slice(place + mark.length)]
}

process.exitCode = await writeDocs(process.argv.includes('--check'))
