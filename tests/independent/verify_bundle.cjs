// SPDX-License-Identifier: Apache-2.0
// Verifies a sigstore bundle with @sigstore/verify, given the device's public key.
//
// usage: node verify_bundle.cjs BUNDLE PUBLIC_KEY_PEM   prints the subject's sha256
const fs = require('node:fs');
const path = require('node:path');
const { createRequire } = require('node:module');

const packages = createRequire(path.join(process.env.LINESIDE_INDEPENDENT, 'package.json'));
const { bundleFromJSON } = packages('@sigstore/bundle');
const { crypto } = packages('@sigstore/core');
const { Verifier, toSignedEntity } = packages('@sigstore/verify');

const [file, pem] = process.argv.slice(2);
try {
  const bundle = bundleFromJSON(JSON.parse(fs.readFileSync(file, 'utf8')));
  const key = crypto.createPublicKey(fs.readFileSync(pem, 'utf8'));
  const trust = {
    publicKey: () => ({ publicKey: key, validFor: () => true }),
    certificateAuthorities: [],
    timestampAuthorities: [],
    tlogs: [],
    ctlogs: [],
  };
  // There is no transparency log in a plant: the roster says whose the key is.
  const verifier = new Verifier(trust, { tlogThreshold: 0, ctlogThreshold: 0, tsaThreshold: 0 });
  verifier.verify(toSignedEntity(bundle));
  const statement = JSON.parse(bundle.content.dsseEnvelope.payload.toString('utf8'));
  console.log(statement.subject[0].digest.sha256);
} catch (error) {
  console.error(String(error));
  process.exit(1);
}
