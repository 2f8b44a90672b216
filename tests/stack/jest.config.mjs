import base from '../../jest.config.mjs'

/** The stack on the lab: images, manifests, chart, secrets and data, one after the other. */
export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/tests/stack'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 300_000,
  maxWorkers: 1,
}
