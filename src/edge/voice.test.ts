import { expect, it } from '@jest/globals'
import { githubVoice, MOST_ANNOTATIONS } from './voice.ts'

it('warns on lines of code as long as GitHub shows it, and in the log from then on', () => {
  const voice = githubVoice()
  const place = { file: 'docker/a,b/Dockerfile', line: 3 }
  const said = Array.from({ length: MOST_ANNOTATIONS + 2 }, () => voice.warning('50 % off', place))
  expect(said[0]).toBe('::warning file=docker/a%2Cb/Dockerfile,line=3::50 %25 off')
  expect(said.filter((line) => line.startsWith('::warning'))).toHaveLength(10)
  expect(said.at(-1)).toBe('  ! docker/a,b/Dockerfile:3: 50 % off')
})

it('lets nothing that others print become a command', () => {
  const voice = githubVoice()
  expect(voice.line('  ::set-output name=a::b')).toBe('  │   ::set-output name=a::b')
  expect(voice.warning('one\n::error::two')).toBe('::warning::one%0A::error::two')
})
