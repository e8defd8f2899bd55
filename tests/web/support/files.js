// A tiny static server: the site that a test page, a player and a video file come from.

import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { extname, join, normalize } from 'node:path';

const TYPES = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.m3u8': 'application/vnd.apple.mpegurl',
  '.m4s': 'video/iso.segment',
  '.mjs': 'text/javascript; charset=utf-8',
  '.mp4': 'video/mp4',
  '.mpd': 'application/dash+xml',
  '.svg': 'image/svg+xml',
  '.webm': 'video/webm',
};

/**
 * Serves directories under prefixes of the path, as `{ '/media/': '/some/directory/' }`, and pages given as text.
 *
 * @param {Record<string, string>} directories
 */
export async function serveFiles(directories = {}) {
  const pages = new Map();
  const server = createServer(async (request, response) => {
    try {
      const path = decodeURIComponent(new URL(request.url, 'http://site').pathname);
      const page = pages.get(path);
      if (page !== undefined) {
        response.writeHead(200, { 'content-type': TYPES['.html'] }).end(page);
      } else {
        await answerFile(directories, path, request.headers.range, response);
      }
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  let count = 0;
  return {
    origin,
    /** Serves a page; returns its address. */
    page(html) {
      count += 1;
      pages.set(`/page-${count}`, html);
      return `${origin}/page-${count}`;
    },
    stop() {
      server.closeAllConnections();
      return new Promise((resolve) => server.close(resolve));
    },
  };
}

async function answerFile(directories, path, range, response) {
  // Browsers ask for it by themselves.
  if (path === '/favicon.ico') return void response.writeHead(204).end();
  const prefix = Object.keys(directories).find((prefix) => path.startsWith(prefix));
  const file = join(directories[prefix], normalize(`/${path.slice(prefix.length)}`));
  const { size } = await stat(file);
  const headers = { 'content-type': TYPES[extname(file)] ?? 'application/octet-stream', 'accept-ranges': 'bytes' };
  // Without ranges Chromium cannot seek.
  const asked = /^bytes=(\d+)-(\d*)$/.exec(range ?? '');
  const start = asked ? Number(asked[1]) : 0;
  const end = asked?.[2] ? Math.min(Number(asked[2]), size - 1) : size - 1;
  if (start > end) return void response.writeHead(416, { 'content-range': `bytes */${size}` }).end();
  if (asked) headers['content-range'] = `bytes ${start}-${end}/${size}`;
  response.writeHead(asked ? 206 : 200, { ...headers, 'content-length': end - start + 1 });
  createReadStream(file, { start, end }).pipe(response);
}
