import base from '../../jest.config.mjs'

/** End-to-end tests on the lab: one after the other, on the release that the demo has carried to production. */
export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/tests/e2e'],
  testPathIgnorePatterns: ['/node_modules/'],
  testTimeout: 240_000,
  maxWorkers: 1,
}
