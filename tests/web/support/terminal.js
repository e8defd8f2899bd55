// What `heatstrip show` writes to a terminal, as a page.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { BINARY } from './heatstrip.js';

const COLUMNS = 96;

/** Escape sequences that colour: `ESC [ codes m`. */
const COLOURS = /\x1b\[([\d;]*)m/;

const escaped = (text) => text.replace(/[&<]/g, (sign) => ({ '&': '&amp;', '<': '&lt;' })[sign]);

/** Colours as spans. */
export function toHtml(text) {
  let style = {};
  return text.split(/(?=\x1b\[[\d;]*m)/).map((part) => {
    const [sequence, codes] = COLOURS.exec(part) ?? ['', null];
    if (codes !== null) style = restyled(style, codes.split(';').map(Number));
    const css = Object.entries(style).map(([name, value]) => `${name}:${value}`).join(';');
    return `<span style="${css}">${escaped(part.slice(sequence.length))}</span>`;
  }).join('');
}

function restyled(style, codes) {
  const now = { ...style };
  while (codes.length) {
    const code = codes.shift();
    if (code === 0) for (const name of Object.keys(now)) delete now[name];
    else if (code === 1) now['font-weight'] = 'bold';
    else if (code === 38 && codes.shift() === 2) now.color = `rgb(${codes.splice(0, 3)})`;
    else throw new Error(`an escape sequence that nobody expects: ${code}`);
  }
  return now;
}

/** Runs `heatstrip show` in a terminal and shows what it wrote. */
export async function terminalPage(heatstrip, video) {
  // `script` is the terminal: without one it writes no colours.
  const { stdout } = await promisify(execFile)('script', ['-qec', `stty cols ${COLUMNS} rows 24; "$BINARY" show "$VIDEO"`, '/dev/null'],
    { env: { ...process.env, BINARY, VIDEO: video, DATABASE_URL: heatstrip.databaseUrl, COLORTERM: 'truecolor' } });
  const shown = `<b>$ heatstrip show ${video}</b>\n\n${toHtml(stdout.replaceAll('\r', '').trim())}`;
  return `<!doctype html><meta charset="utf-8"><style>
      body { margin: 0; background: #17131f; color: #e9e4ec } pre { margin: 0; padding: 20px 24px; font: 14px/16px "DejaVu Sans Mono", monospace }
    </style><pre>${shown}</pre>`;
}
