// SPDX-License-Identifier: Apache-2.0
// Bundles the tests of the page's pure parts and runs them in Node.
//
// usage: node run_unit.mjs FOLDER-WITH-NODE_MODULES-OF-THE-PAGE OUT-FOLDER
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const [page, out] = process.argv.slice(2);
const { buildSync } = createRequire(join(page, 'package.json'))('esbuild');
const here = dirname(fileURLToPath(import.meta.url));
buildSync({
  entryPoints: [join(here, 'unit', 'model.test.ts')],
  bundle: true,
  platform: 'node',
  format: 'esm',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  nodePaths: [join(page, 'node_modules')],
  outdir: out,
  outExtension: { '.js': '.mjs' },
});
process.exit(spawnSync(process.execPath, ['--test', join(out, 'model.test.mjs')], { stdio: 'inherit' }).status ?? 1);
