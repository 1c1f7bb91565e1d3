// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vite';

// The page must work under "style-src 'self'; script-src 'self'", so nothing is inlined.
export default defineConfig({
  base: './',
  esbuild: { jsx: 'automatic', jsxImportSource: 'preact', legalComments: 'none' },
  build: {
    target: ['chrome100', 'firefox100', 'safari15'],
    assetsInlineLimit: 0,
    cssCodeSplit: false,
    modulePreload: false,
    reportCompressedSize: false,
  },
});
