import base from '../../jest.config.mjs'

/** The registry client against real registries and a hostile one. Processes on 127.0.0.1 are all that is needed. */
export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/tests/registry'],
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: '<rootDir>/tests/registry/setup.ts',
  testTimeout: 30_000,
  maxWorkers: 2,
}
