import { describe, expect, it } from '@jest/globals'
import { outsideSources } from './dockerfile.ts'

const read = (text: string, args: Record<string, string> = {}, contexts: string[] = []) =>
  outsideSources(text, { args, contexts })

describe('what a Dockerfile takes from outside', () => {
  it.each([
    { name: 'its base', text: 'FROM python:3.11-slim', images: ['python:3.11-slim'] },
    { name: 'nothing, from scratch', text: 'FROM scratch', images: [] },
    {
      name: 'a base once, and no stage of its own',
      text: 'FROM a AS build\nFROM a\nCOPY --from=build /x /x\nCOPY --from=0 /y /y\nfrom Build',
      images: ['a'],
    },
    {
      name: 'images of COPY and of mounts',
      text: 'FROM a\nCOPY --chown=1 --from=b/c:1 /x /x\nRUN --mount=type=bind,from=d,target=/d true',
      images: ['a', 'b/c:1', 'd'],
    },
    {
      name: 'the frontend',
      text: '# syntax=docker/dockerfile:1\nFROM a',
      images: ['a', 'docker/dockerfile:1'],
    },
    { name: 'no frontend further down', text: 'FROM a\n# syntax=b', images: ['a'] },
    {
      name: 'what a heredoc only mentions',
      text: 'FROM a\nRUN <<EOF\nFROM b\nEOF\nRUN true',
      images: ['a'],
    },
    { name: 'a base over two lines', text: 'FROM \\\n  # why\n  a:1 \\\n  AS x', images: ['a:1'] },
  ])('is $name', ({ text, images }) => {
    expect(read(text)).toEqual({ images, doubts: [] })
  })

  it('has arguments put in: the given one, else the preset', () => {
    const text =
      'ARG NAME=python\nARG TAG="3.11"\nFROM --platform=$BUILDPLATFORM ${NAME}:${TAG}-${KIND:-slim}'
    expect(read(text).images).toEqual(['python:3.11-slim'])
    expect(read(text, { NAME: 'mirror/python' }).images).toEqual(['mirror/python:3.11-slim'])
  })

  it('leaves named contexts to whoever knows them', () => {
    expect(
      read('FROM base\nRUN --mount=from=delivery true', {}, ['base', 'delivery']).images,
    ).toEqual([])
  })

  it.each([
    { name: 'an image that only the build knows', text: 'ARG X\nFROM a:$X' },
    { name: 'an image for the platform', text: 'FROM a-$TARGETARCH' },
    { name: 'a download', text: 'FROM a\nADD https://example.org/x.tar /x' },
    { name: 'another escape character', text: '# escape=`\nFROM a' },
  ])('is in doubt with $name', ({ text }) => {
    expect(read(text).doubts).toHaveLength(1)
  })

  it('is not in doubt with a download whose checksum is given', () => {
    expect(read('FROM a\nADD --checksum=sha256:ab https://example.org/x /x').doubts).toEqual([])
  })
})
