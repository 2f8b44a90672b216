export default {
  testEnvironment: 'node',
  roots: ['<rootDir>/src', '<rootDir>/lab', '<rootDir>/actions', '<rootDir>/tests'],
  testMatch: ['**/*.test.ts'],
  testPathIgnorePatterns: [
    '/node_modules/',
    '<rootDir>/tests/build/',
    '<rootDir>/tests/e2e/',
    '<rootDir>/tests/deploy/',
    '<rootDir>/tests/page/',
    '<rootDir>/tests/registry/',
    '<rootDir>/tests/stack/',
    '<rootDir>/lab/tools/',
  ],
  extensionsToTreatAsEsm: ['.ts'],
  transform: { '^.+\\.ts$': '<rootDir>/tests/typescript.mjs' },
}
