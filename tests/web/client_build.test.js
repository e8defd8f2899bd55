// The player client as it is served: small, and made from the source that the tests test.

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
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
