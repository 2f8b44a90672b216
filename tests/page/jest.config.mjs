import base from '../../jest.config.mjs'

/** Report pages in a real browser. Nothing but the checkout and Chromium is needed. */
export default {
  ...base,
  rootDir: '../..',
  roots: ['<rootDir>/tests/page'],
  testPathIgnorePatterns: ['/node_modules/'],
  globalSetup: '<rootDir>/tests/page/setup.ts',
  testTimeout: 60_000,
  maxWorkers: 1,
}
