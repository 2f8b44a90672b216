import base from '../../jest.config.mjs'

/**
 * build-images with everything that goes wrong around it: each test has a registry of its own on 127.0.0.1, and images of a few bytes
 * that the lab's builder makes.
 */
export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/tests/build'],
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: '<rootDir>/tests/build/setup.ts',
  testTimeout: 240_000,
  // Much of the time is waiting: for pauses between attempts, and for the builder.
  maxWorkers: 2,
}
