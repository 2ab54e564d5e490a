// Bundles the extension, the page of its table, and with --tests the unit tests. --watch keeps bundling.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build, context } from 'esbuild';

const at = (path) => fileURLToPath(new URL(path, import.meta.url));
const tests = at('../tests/client/');

const node = { outdir: at('dist'), platform: 'node', format: 'cjs', target: 'node20' };
// Apart from the extension: the language client is large, and loaded only after the activation.
const client = { ...node, entryPoints: [at('src/client.ts')], external: ['vscode'] };
const extension = {
  ...node,
  entryPoints: [at('src/extension.ts')],
  external: ['vscode', './client'],
  supported: { 'dynamic-import': false },
};
const page = {
  entryPoints: [at('webview/main.ts')],
  outfile: at('dist/table.js'),
  platform: 'browser',
  format: 'iife',
  target: 'es2022',
};
const units = {
  entryPoints: readdirSync(tests)
    .filter((name) => name.endsWith('.test.ts'))
    .map((name) => tests + name),
  outdir: at('dist/tests'),
  platform: 'node',
  format: 'esm',
  outExtension: { '.js': '.mjs' },
  target: 'node20',
};

const watch = process.argv.includes('--watch');
const wanted = process.argv.includes('--tests') ? [units] : [extension, client, page];
for (const options of wanted) {
  const all = {
    ...options,
    bundle: true,
    minify: !watch && options !== units,
    sourcemap: watch,
    legalComments: 'none',
    logLevel: 'warning',
  };
  await (watch ? (await context(all)).watch() : build(all));
}
