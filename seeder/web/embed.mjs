// SPDX-License-Identifier: Apache-2.0
// Makes static_files.cc (see seeder/page/static_files.h) from the folder that Vite wrote.
//
// usage: node embed.mjs DIST OUT.cc
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { extname, join, relative } from 'node:path';
import { gzipSync } from 'node:zlib';

const types = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.webmanifest': 'application/manifest+json',
};

function* files(dir) {
  for (const name of readdirSync(dir).sort()) {
    const path = join(dir, name);
    if (statSync(path).isDirectory()) yield* files(path);
    else yield path;
  }
}

// Octal escapes of three digits cannot run into what follows.
const literal = (bytes) => {
  const lines = [];
  for (let at = 0; at < bytes.length; at += 64) {
    const part = [...bytes.subarray(at, at + 64)];
    lines.push(`    "${part.map((b) => `\\${b.toString(8).padStart(3, '0')}`).join('')}"`);
  }
  return lines.join('\n');
};

const [dist, out] = process.argv.slice(2);
const rows = [];
let total = 0;
for (const file of files(dist)) {
  const type = types[extname(file)];
  if (!type) throw new Error(`${file}: no content type is known for it`);
  const bytes = readFileSync(file);
  const gzip = gzipSync(bytes, { level: 9 });
  total += gzip.length;
  const name = relative(dist, file);
  const path = name === 'index.html' ? '/' : `/${name}`;
  const etag = createHash('sha256').update(bytes).digest('hex').slice(0, 16);
  rows.push(`    {"${path}", "${type}", "\\"${etag}\\"", ${name.startsWith('assets/')},
     as_bytes(std::string_view(\n${literal(gzip)},\n         ${gzip.length}))},`);
}
writeFileSync(out, `// Made by seeder/web/embed.mjs.
#include "seeder/page/static_files.h"

namespace lineside::seeder {

std::span<const StaticFile> static_files() {
  static const StaticFile files[] = {
${rows.join('\n')}
  };
  return files;
}

}  // namespace lineside::seeder
`);
const limit = 150_000;
if (total > limit) throw new Error(`the page has ${total} bytes compressed, more than ${limit}`);
console.log(`page: ${rows.length} files, ${total} bytes compressed`);
