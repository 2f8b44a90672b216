/** What `npm test` needs of the lab, all of it made at once, so that compiling goes on while the tests that need no lab run. */
export const labParts = [
  'engine',
  'registry',
  'builder',
  'render',
  'scan',
  'cluster',
  'compose',
  'addons',
  'secrets',
  'monitoring',
  'ingress',
] as const
