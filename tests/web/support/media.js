// Real videos, made once with ffmpeg and kept in target/.

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Where the videos are; a site serves them from here. */
export const MEDIA = fileURLToPath(new URL('../../../target/web-test-media/', import.meta.url));

const SECONDS = 30;
/** A counting picture and a tone; a key frame a second, so that seeking is quick and exact. */
const SOURCE = [
  ...['-f', 'lavfi', '-i', `testsrc=size=160x90:rate=10:duration=${SECONDS}`],
  ...['-f', 'lavfi', '-i', `sine=frequency=330:duration=${SECONDS}`],
  ...['-g', '10', '-keyint_min', '10', '-ac', '1'],
];

/** `video.webm`, 30 s, as Chromium plays it without licensed codecs. Returns its path below {@link MEDIA}. */
export function webm() {
  return make('video-1', 'video.webm', (directory) => [
    ...[...SOURCE, '-c:v', 'libvpx', '-deadline', 'realtime', '-b:v', '60k', '-c:a', 'libopus', '-b:a', '16k'],
    `${directory}/video.webm`,
  ]);
}

/** `master.m3u8` (HLS) and `manifest.mpd` (DASH) over the same fragments of H.264 and AAC. Returns their directory. */
export async function stream() {
  const file = await make('stream-1', 'manifest.mpd', (directory) => [
    ...[...SOURCE, '-c:v', 'libx264', '-preset', 'ultrafast', '-pix_fmt', 'yuv420p', '-b:v', '100k', '-c:a', 'aac'],
    ...['-f', 'dash', '-seg_duration', '2', '-hls_playlist', '1', `${directory}/manifest.mpd`],
  ]);
  return file.replace(/manifest.mpd$/, '');
}

/** Runs ffmpeg into a directory of its own, which gets its name once it is complete: another run may make the same. */
async function make(name, file, parameters) {
  if (!existsSync(`${MEDIA}${name}/${file}`)) {
    await mkdir(MEDIA, { recursive: true });
    const directory = await mkdtemp(`${MEDIA}making-`);
    await promisify(execFile)('ffmpeg', ['-loglevel', 'error', '-nostdin', ...parameters(directory)]);
    await rename(directory, `${MEDIA}${name}`).catch(() => rm(directory, { recursive: true }));
  }
  return `${name}/${file}`;
}
