// The files as they are served: made from the sources that the tests test, and small.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';

import { WEB, built } from './support/build.js';

const KIB = 1024;
/** What a page of another site loads, and what somebody waits for who opens the dashboard. */
const MAX_BYTES = {
  'heatstrip.js': 3 * KIB, 'heatstrip.classic.js': 3 * KIB, 'built/heat-strip.js': 8 * KIB,
  'built/dashboard.js': 56 * KIB, 'built/dashboard.css': 8 * KIB,
};

const files = await built();

for (const [name, { text }] of Object.entries(files)) {
  test(`web/${name} is what script/build-web makes of the source`, async () => {
    assert.equal(await readFile(`${WEB}${name}`, 'utf8'), text);
  });

  test(`web/${name} is small enough gzipped`, () => {
    const { length } = gzipSync(text);
    assert.ok(length <= MAX_BYTES[name], `${length} bytes`);
  });
}

test('every script and style sheet is part of a file that is served', async () => {
  const used = new Set(Object.values(files).flatMap(({ sources }) => sources));
  const there = (await readdir(WEB)).filter((name) => /\.(js|css)$/.test(name) && !(name in files));
  assert.ok(there.length > 20);
  assert.deepEqual(there.filter((name) => !used.has(name)), []);
});

test('the source and the types that are shipped agree', async () => {
  const tsc = fileURLToPath(new URL('node_modules/typescript/bin/tsc', import.meta.url));
  const options = ['--noEmit', '--strict', '--checkJs', '--target', 'es2022', '--module', 'es2022'];
  const run = promisify(execFile)(process.execPath, [tsc, ...options, `${WEB}client/heatstrip.js`, `${WEB}heatstrip.d.ts`]);
  await run.catch(({ stdout }) => assert.fail(stdout));
});
