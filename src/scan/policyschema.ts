import { SEVERITIES } from './findings.ts'

/** JSON Schema of a scan policy; published as `schemas/scan-policy.v1.schema.json`. */
const threshold = {
  enum: [...SEVERITIES.filter((severity) => severity !== 'unknown'), 'none'],
  description: 'The mildest severity that stops the release.',
}
const onlyFixed = {
  type: 'boolean',
  description: 'Whether only findings count that a newer version of the package fixes.',
}
const names = (description: string) => ({
  type: 'array',
  minItems: 1,
  items: { type: 'string', minLength: 1 },
  description,
})
const text = (description: string) => ({ type: 'string', minLength: 1, description })

const ignore = {
  type: 'object',
  additionalProperties: false,
  required: ['id', 'reason', 'owner', 'expires'],
  properties: {
    id: text('The vulnerability, by its id or another name of it, such as CVE-2021-23337.'),
    images: names('Images it is ignored in; all where absent.'),
    packages: names('Packages it is ignored in; all where absent.'),
    reason: text('Why it is no danger here, in words for whoever reads it next.'),
    owner: text('Who decided, and decides again.'),
    expires: {
      type: 'string',
      pattern: '^\\d{4}-\\d{2}-\\d{2}$',
      description: 'The last day it holds, YYYY-MM-DD. After it the policy is refused.',
    },
  },
}

export const policySchema = {
  $schema: 'http://json-schema.org/draft-07/schema#',
  title: 'Scan policy of build-images',
  description: 'Which findings stop a release.',
  type: 'object',
  additionalProperties: false,
  properties: {
    threshold,
    'only-fixed': onlyFixed,
    'only-new': {
      type: 'boolean',
      description:
        'Whether only findings count that the release named as `baseline` does not have: the same vulnerability in the same package.',
    },
    images: {
      type: 'object',
      description: 'Image name → what differs for it.',
      additionalProperties: {
        type: 'object',
        additionalProperties: false,
        properties: { threshold, 'only-fixed': onlyFixed },
      },
    },
    ignore: {
      type: 'array',
      items: ignore,
      description: 'Findings that somebody decided to live with.',
    },
    vex: names('OpenVEX documents, as paths relative to the policy.'),
    database: {
      type: 'object',
      additionalProperties: false,
      description: 'The vulnerability database that may judge.',
      properties: {
        'max-age-days': {
          type: 'integer',
          minimum: 1,
          description: 'How old it may be; 5 where absent.',
        },
        'when-stale': {
          enum: ['fail', 'warn'],
          description: 'What an older one means; fail where absent.',
        },
      },
    },
  },
} as const
