// The built binary on a free port, with a database of its own that is gone in the end.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import { until } from './until.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
/** The program under test. */
export const BINARY =
  process.env.HEATSTRIP_BINARY ?? resolve(ROOT, process.env.CARGO_TARGET_DIR ?? 'target', 'debug/heatstrip');
/** How long a start may take, the generation of a demo audience on a slow machine included. */
const START_MS = 120_000;
/** How long an end in good order may take. */
const STOP_MS = 30_000;
/** The region of the heartbeats that `settledStrip` sends. */
const MARKER_REGION = 'MARKER';
/** The region of heartbeats that name none. */
const DEFAULT_REGION = 'ZZ';

/**
 * Starts `heatstrip dev`. Without options its database is empty; `audience` lets it generate its demo audience, `replay`
 * names a file of heartbeats to begin with.
 *
 * @param {{audience?: boolean, replay?: string, environment?: Record<string, string>}} [options]
 */
export async function startHeatstrip(options = {}) {
  // Not the directory of the environment: the database runs as another user when we are root, and must reach it.
  const directory = await mkdtemp('/tmp/heatstrip-web-');
  await chmod(directory, 0o755);
  const heatstrip = new Heatstrip(directory, options);
  try {
    await heatstrip.start();
  } catch (error) {
    await heatstrip.stop();
    throw error;
  }
  return heatstrip;
}

class Heatstrip {
  /** Where it answers, without a slash at the end. The same after a restart. */
  url = '';
  #directory;
  #options;
  #process;
  #log = '';
  #markers = new Map();

  constructor(directory, options) {
    this.#directory = directory;
    this.#options = options;
  }

  /** Starts it on its data, on the port that it had before. */
  async start() {
    const { audience, replay, environment } = this.#options;
    const listen = this.url ? new URL(this.url).host : '127.0.0.1:0';
    const file = audience ? [] : ['--replay', replay ?? '/dev/null'];
    const ours = Object.entries(process.env).filter(([name]) => !/^(HEATSTRIP_|DATABASE_URL)/.test(name));
    // Uncached, so that a strip is never older than the question.
    const settings = { ...Object.fromEntries(ours), HEATSTRIP_CACHE_TTL_SECS: '0', ...environment };
    const child = spawn(BINARY, ['dev', '--listen', listen, '--data-dir', `${this.#directory}/data`, ...file], {
      env: settings,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#process = child;
    process.on('exit', () => child.kill('SIGTERM'));
    const ready = new Promise((resolve, reject) => {
      const late = setTimeout(() => reject(new Error(`not ready in time:\n${this.#log}`)), START_MS);
      const look = (bytes) => {
        this.#log += bytes;
        // Printed once it serves and its first data is folded.
        const found = /^dashboard +(http:\S+)\/$/m.exec(this.#log.slice(this.#log.lastIndexOf('\ndashboard') + 1));
        if (found) {
          clearTimeout(late);
          resolve(found[1]);
        }
      };
      child.stdout.on('data', look);
      child.stderr.on('data', (bytes) => (this.#log += bytes));
      child.on('error', (error) => reject(new Error(`${BINARY} does not start, build it first: ${error.message}`)));
      child.on('exit', (code) => reject(new Error(`ended by itself with ${code}:\n${this.#log}`)));
    });
    this.url = await ready;
  }

  /** The address of its database, for other commands of the same program. */
  get databaseUrl() {
    return /^database +DATABASE_URL='(.*)'$/m.exec(this.#log)[1];
  }

  /** Ends it in good order; its data stays for another start. */
  async pause() {
    const child = this.#process;
    this.#process = undefined;
    this.#log = '';
    if (!child || child.exitCode !== null || child.signalCode !== null) return;
    const late = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
    const ended = once(child, 'exit');
    child.kill('SIGTERM');
    await ended;
    clearTimeout(late);
  }

  /** Ends it and removes its data. */
  async stop() {
    await this.pause();
    await rm(this.#directory, { recursive: true, force: true });
  }

  /** Sends heartbeats as a player's back end would. */
  async send(heartbeats) {
    const answer = await fetch(`${this.url}/v1/heartbeats`, { method: 'POST', body: JSON.stringify(heartbeats) });
    if (answer.status !== 202) throw new Error(`${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  /** The strip of a video, by default a bucket a second. */
  async strip(videoId, parameters = {}) {
    const asked = new URLSearchParams({ resolution: '1', ...parameters });
    const answer = await fetch(`${this.url}/v1/videos/${encodeURIComponent(videoId)}/heatmap?${asked}`);
    if (!answer.ok) throw new Error(`${answer.status}: ${await answer.text()}`);
    return answer.json();
  }

  /**
   * The strip of what was accepted for a video so far, without region. Waits until it is folded: a heartbeat sent now, into a
   * region of its own, is folded after it.
   */
  async settledStrip(videoId) {
    const markers = (this.#markers.get(videoId) ?? 0) + 1;
    this.#markers.set(videoId, markers);
    await this.send({ video_id: videoId, viewer_id: 'marker', region: MARKER_REGION, start_sec: 0, end_sec: 0 });
    await until(async () => (await this.strip(videoId, { region: MARKER_REGION })).seconds_played === markers);
    return this.strip(videoId, { region: DEFAULT_REGION });
  }
}
