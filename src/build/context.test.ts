import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals'
import { ignoreMatcher, readContext } from './context.ts'

describe('a .dockerignore', () => {
  it.each([
    { rules: 'node_modules', ignored: 'node_modules node_modules/a/b', kept: 'src/node_modules' },
    { rules: '**/node_modules', ignored: 'node_modules src/node_modules/a', kept: 'node_modules2' },
    { rules: '*.md', ignored: 'a.md', kept: 'docs/a.md a.mdx' },
    { rules: '**/*.pyc', ignored: 'a.pyc x/y/a.pyc', kept: 'a.py' },
    { rules: 'temp?', ignored: 'temp1 temp1/x', kept: 'temp temp12' },
    { rules: '*/temp*', ignored: 'a/temp a/temp1', kept: 'temp a/b/temp' },
    { rules: '/a/./b/', ignored: 'a/b a/b/c', kept: 'b' },
    { rules: '[ab].txt', ignored: 'a.txt b.txt', kept: 'c.txt' },
    { rules: '*\n!keep', ignored: 'a keep2', kept: 'keep keep/x' },
    {
      rules: '*.md\n!README*.md\nREADME-secret.md',
      ignored: 'a.md README-secret.md',
      kept: 'README.md',
    },
    { rules: 'docs\n!docs/keep', ignored: 'docs docs/x', kept: 'docs/keep docs/keep/y' },
    { rules: '# note\n\n  a  ', ignored: 'a', kept: '# note' },
    { rules: 'a.b', ignored: 'a.b', kept: 'axb' },
  ])('with $rules leaves out $ignored and keeps $kept', ({ rules, ignored, kept }) => {
    const isIgnored = ignoreMatcher(rules)
    for (const path of ignored.split(' ')) expect([path, isIgnored(path)]).toEqual([path, true])
    for (const path of kept.split(rules.startsWith('#') ? ',' : ' '))
      expect([path, isIgnored(path)]).toEqual([path, false])
  })
})

describe('a build context', () => {
  let folder = ''
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'context-'))
    await mkdir(join(folder, 'src'))
    await writeFile(join(folder, 'src', 'a.py'), 'a')
    await writeFile(join(folder, 'note.md'), 'n')
    await symlink('src/a.py', join(folder, 'link'))
  })
  afterEach(() => rm(folder, { recursive: true }))
  const read = async () => [...(await readContext(folder, join(folder, 'Dockerfile')))]

  it('is what every path holds: kind, permissions, content', async () => {
    await chmod(join(folder, 'src', 'a.py'), 0o755)
    const files = Object.fromEntries(await read())
    expect(files['link']).toBe('link src/a.py')
    expect(files['src/a.py']).toMatch(/^file 755 sha256:ca978112ca1bbdcafac231b39a23dc4d/)
    expect(files['src']).toMatch(/^folder \d{3}$/)
  })

  it('is another one after a change of content, of permissions or of a name, and the same after none', async () => {
    const before = await read()
    expect(await read()).toEqual(before)
    await writeFile(join(folder, 'src', 'a.py'), 'b')
    const changed = await read()
    expect(changed).not.toEqual(before)
    await chmod(join(folder, 'src', 'a.py'), 0o700)
    expect(await read()).not.toEqual(changed)
  })

  it('lacks what the ignore file names; the one of the Dockerfile goes first', async () => {
    await writeFile(join(folder, '.dockerignore'), 'src')
    expect((await read()).map(([path]) => path)).toEqual(['.dockerignore', 'link', 'note.md'])
    await writeFile(join(folder, 'Dockerfile.dockerignore'), '*\n!src/a.py')
    expect((await read()).map(([path]) => path)).toEqual(['src/a.py'])
  })
})
