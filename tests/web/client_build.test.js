// The player client as it is served: small, and made from the source that the tests test.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import { WEB, builtClient } from './support/build.js';

const MAX_BYTES = 3 * 1024;

for (const [name, text] of Object.entries(await builtClient())) {
  test(`web/${name} is what script/build-web makes of the source`, async () => {
    assert.equal(await readFile(`${WEB}${name}`, 'utf8'), text);
  });

  test(`web/${name} has at most 3 KB gzipped`, () => {
    const { length } = gzipSync(text);
    assert.ok(length <= MAX_BYTES, `${length} bytes`);
  });
}

test('the source and the types that are shipped agree', async () => {
  const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', import.meta.url));
  const options = ['--noEmit', '--strict', '--checkJs', '--target', 'es2022', '--module', 'es2022'];
  const run = promisify(execFile)(process.execPath, [tsc, ...options, `${WEB}client/heatstrip.js`, `${WEB}heatstrip.d.ts`]);
  await run.catch(({ stdout }) => assert.fail(stdout));
});
