// The player client as it is served, made from its source. Run as a program it writes the files.

import { writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const WEB = fileURLToPath(new URL('../../../web/', import.meta.url));

const BANNER = '/*! heatstrip player client | Apache-2.0 OR MIT | docs/players.md */';

/** The files as text, by name. */
export async function builtClient() {
  const make = async (source, format) => {
    const options = { bundle: true, minify: true, write: false, target: 'es2020', banner: { js: BANNER } };
    const { outputFiles } = await build({ ...options, format, entryPoints: [`${WEB}client/${source}`] });
    return outputFiles[0].text;
  };
  return {
    'heatstrip.js': await make('heatstrip.js', 'esm'),
    'heatstrip.classic.js': await make('classic.js', 'iife'),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [name, text] of Object.entries(await builtClient())) {
    await writeFile(`${WEB}${name}`, text);
  }
}
