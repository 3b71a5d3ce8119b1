import js from '@eslint/js';
import globals from 'globals';
import tseslint from 'typescript-eslint';

/** The packages that each package may import; the shell, in `src`, may import all. */
const MAY_IMPORT = {
  client: [],
  ui: ['client'],
  arena: ['client', 'ui'],
  admin: ['client', 'ui'],
};

/** A rule for the files of `folder`. Other packages are reached by their names, and never by a path. */
function mayImport(folder, allowed) {
  const others = Object.keys(MAY_IMPORT).filter((name) => !allowed.includes(name));
  const patterns = [
    { regex: '^\\.{1,2}/(.*/)?(src|packages)/', message: 'Another package is reached by its name.' },
    ...others.map((name) => ({
      regex: `^@tickwire/${name}(/|$)`,
      message: `${folder} may not import ${name}: see MAY_IMPORT in eslint.config.js.`,
    })),
    ...(folder === 'packages/arena/src' ? [] : [{ regex: '^pixi\\.js', message: 'Only the arena draws.' }]),
  ];
  return {
    files: [`${folder}/**/*.ts`],
    rules: {
      'no-restricted-imports': ['error', { patterns }],
      // The rule above does not look at `import()`.
      'no-restricted-syntax': [
        'error',
        ...patterns.map(({ regex, message }) => ({
          selector: `ImportExpression[source.value=/${regex.replaceAll('/', '\\u002F')}/]`,
          message,
        })),
      ],
    },
  };
}

export default tseslint.config(
  { ignores: ['dist', 'node_modules', 'wasm', 'test-results', 'src/generated'] },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [...tseslint.configs.strictTypeChecked, ...tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/consistent-type-imports': 'error',
      eqeqeq: 'error',
      'max-lines': ['error', { max: 500, skipBlankLines: true, skipComments: true }],
      'max-lines-per-function': ['error', { max: 90, skipBlankLines: true, skipComments: true }],
      'no-restricted-properties': [
        'error',
        { property: 'innerHTML', message: 'Names come from strangers: use textContent.' },
        { property: 'outerHTML', message: 'Names come from strangers: use textContent.' },
        { property: 'insertAdjacentHTML', message: 'Names come from strangers: use textContent.' },
      ],
    },
  },
  ...Object.entries(MAY_IMPORT).map(([name, allowed]) => mayImport(`packages/${name}/src`, allowed)),
  mayImport('src', Object.keys(MAY_IMPORT)),
  {
    files: ['**/*.test.ts', 'e2e/**/*.ts'],
    rules: { 'max-lines-per-function': 'off' },
  },
  { files: ['*.js'], languageOptions: { globals: globals.node } },
);
