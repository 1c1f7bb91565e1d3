// SPDX-License-Identifier: Apache-2.0
// Reads an origin with tuf-js, a client that shares no line with ours.
//
// usage: node read_origin.cjs ORIGIN ROOT_FILE WORK_FOLDER TARGET…   prints the content of each target
const fs = require('node:fs');
const path = require('node:path');
const { createRequire } = require('node:module');

// Its packages lie where the program was told to work, not beside this file.
const packages = createRequire(path.join(process.env.LINESIDE_INDEPENDENT, 'package.json'));
const { BaseFetcher, Updater } = packages('tuf-js');

class FolderFetcher extends BaseFetcher {
  async fetch(url) {
    const file = decodeURIComponent(new URL(url).pathname);
    try {
      return [fs.readFileSync(file)];
    } catch (error) {
      // tuf-js takes this for the end of the root chain.
      const { DownloadHTTPError } = packages('tuf-js/dist/error');
      throw new DownloadHTTPError(String(error), 404);
    }
  }
}

async function main() {
  const [origin, root, work, ...targets] = process.argv.slice(2);
  fs.mkdirSync(path.join(work, 'targets'), { recursive: true });
  fs.copyFileSync(root, path.join(work, 'root.json'));
  const updater = new Updater({
    metadataDir: work,
    metadataBaseUrl: `file://${origin}/metadata`,
    targetDir: path.join(work, 'targets'),
    targetBaseUrl: `file://${origin}/targets`,
    fetcher: new FolderFetcher(),
  });
  await updater.refresh();
  for (const name of targets) {
    const info = await updater.getTargetInfo(name);
    if (!info) throw new Error(`no target ${name}`);
    process.stdout.write(fs.readFileSync(await updater.downloadTarget(info)));
  }
}

main().catch((error) => {
  console.error(String(error));
  process.exit(1);
});
