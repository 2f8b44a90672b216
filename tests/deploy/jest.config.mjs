import base from '../../jest.config.mjs'

/** Deploys on the lab's cluster, in namespaces of their own: one after the other. */
export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/tests/deploy'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 600_000,
  maxWorkers: 1,
}
