import { importX } from 'eslint-plugin-import-x'
import tseslint from 'typescript-eslint'

const onlyIn = (patterns, message) => ({
  'no-restricted-imports': [
    'error',
    { patterns: patterns.map((group) => ({ group: [group], message })) },
  ],
})

export default tseslint.config(
  { ignores: ['app/', 'out/', 'build/', '.node/', 'node_modules/', '**/dist/'] },
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.strictTypeChecked],
    plugins: { 'import-x': importX },
    languageOptions: { parserOptions: { projectService: true } },
    settings: { 'import-x/resolver-next': [importX.createNodeResolver({ extensions: ['.ts'] })] },
    rules: {
      '@typescript-eslint/explicit-module-boundary-types': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': [
        'error',
        { considerDefaultExhaustiveForUnions: true },
      ],
      '@typescript-eslint/restrict-template-expressions': [
        'error',
        { allowNumber: true, allowBoolean: true },
      ],
      '@typescript-eslint/no-unused-vars': ['error', { varsIgnorePattern: '^_' }],
      // Limits of the house, see CONTRIBUTING.md.
      'max-lines': ['error', { max: 250 }],
      'max-lines-per-function': ['error', { max: 60 }],
      'max-params': ['error', { max: 3 }],
      'import-x/no-cycle': 'error',
      'import-x/no-default-export': 'error',
    },
  },
  // Walls: the verbs know nothing of GitHub, and one room speaks to each outside system.
  {
    files: ['src/**/*.ts', 'actions/**/*.ts'],
    ignores: ['src/edge/**'],
    rules: onlyIn(['@actions/*'], 'Only src/edge speaks to GitHub.'),
  },
  {
    files: ['src/**/*.ts', 'actions/**/*.ts', 'lab/**/*.ts'],
    ignores: ['src/cluster/**', 'src/edge/**'],
    rules: onlyIn(
      ['@kubernetes/client-node', '@actions/*'],
      'Only src/cluster speaks to Kubernetes, only src/edge to GitHub.',
    ),
  },
  {
    files: ['src/**/*.ts'],
    ignores: ['src/edge/**'],
    rules: {
      'import-x/no-restricted-paths': [
        'error',
        {
          zones: [
            {
              target: './src/!(edge)/**',
              from: './src/edge',
              message: 'Verbs know nothing of the edge.',
            },
            {
              target: './src',
              from: './actions',
              message: 'Actions use src, never the other way.',
            },
            {
              target: './src/rules',
              from: './src',
              except: ['./rules', './render/manifest.ts', './json.ts'],
              message: 'Rules know objects, and nothing of files, clusters or registries.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['**/*.test.ts', 'tests/**/*.ts'],
    rules: { 'max-lines-per-function': 'off', '@typescript-eslint/no-floating-promises': 'off' },
  },
)
