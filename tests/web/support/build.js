// The files that browsers load, made from their sources. Run as a program it writes them.

import { mkdir, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const WEB = fileURLToPath(new URL('../../../web/', import.meta.url));

const LICENCE = 'Apache-2.0 OR MIT';
const CLIENT = `/*! heatstrip player client | ${LICENCE} | docs/players.md */`;
const COMPONENT = `/*! heatstrip component | ${LICENCE} | docs/component.md */`;
const DASHBOARD = `/*! heatstrip dashboard | ${LICENCE} | with uPlot 1.6.32, Copyright (c) 2025, Leon Sorokin, MIT */`;

/** What is made of what; a client runs in older browsers than the pages need. */
const FILES = [
  { file: 'heatstrip.js', source: 'client/heatstrip.js', format: 'esm', target: 'es2020', banner: { js: CLIENT } },
  { file: 'heatstrip.classic.js', source: 'client/classic.js', format: 'iife', target: 'es2020', banner: { js: CLIENT } },
  { file: 'built/heat-strip.js', source: 'heat-strip.js', format: 'esm', target: 'esnext', banner: { js: COMPONENT } },
  { file: 'built/dashboard.js', source: 'dashboard.js', format: 'esm', target: 'esnext', banner: { js: DASHBOARD } },
  { file: 'built/dashboard.css', source: 'styles.css', target: 'esnext', banner: { css: DASHBOARD } },
];

/** The files by name: their text, and the sources that it is made of. */
export async function built() {
  const made = {};
  for (const { file, source, ...options } of FILES) {
    const { outputFiles: [{ text }], metafile } = await build({
      ...options, bundle: true, minify: true, charset: 'utf8', write: false, metafile: true, absWorkingDir: WEB, entryPoints: [source],
    });
    made[file] = { text, sources: Object.keys(metafile.inputs) };
  }
  return made;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await mkdir(`${WEB}built`, { recursive: true });
  for (const [file, { text }] of Object.entries(await built())) {
    await writeFile(`${WEB}${file}`, text);
  }
}
