// A browser's parts that the player client touches, driven by hand: no time passes by itself.

import { webcrypto } from 'node:crypto';

const START_MS = Date.parse('2026-11-21T10:00:00Z');
/** How often a media element tells that its position changed. */
const TIMEUPDATE_MS = 250;

let copies = 0;

/** Sets up a world in place of Node's globals, with a fresh copy of the client. One at a time. */
export async function makeWorld() {
  const world = new World();
  const replacements = {
    document: world.document,
    navigator: world.navigator,
    localStorage: world.localStorage,
    performance: { now: () => world.now },
    // Node 18 has it under this name only.
    crypto: webcrypto,
    Request: class {
      get keepalive() {}
    },
    setTimeout: (callback, ms) => world.setTimeout(callback, ms),
    clearTimeout: (id) => world.timers.delete(id),
    fetch: (url, init) => world.fetch(url, init),
    addEventListener: (...listener) => world.window.addEventListener(...listener),
    removeEventListener: (...listener) => world.window.removeEventListener(...listener),
  };
  for (const [name, value] of Object.entries(replacements)) {
    Object.defineProperty(globalThis, name, { value, configurable: true, writable: true });
  }
  Date.now = () => START_MS + Math.floor(world.now);
  copies += 1;
  ({ heatstrip: world.heatstrip } = await import(`../../../web/client/heatstrip.js?copy=${copies}`));
  return world;
}

class World {
  /** Milliseconds since the world began. */
  now = 0;
  timers = new Map();
  window = new Listeners();
  document = { hidden: false };
  stored = new Map();
  localStorage = {
    getItem: (key) => this.stored.get(key) ?? null,
    setItem: (key, value) => this.stored.set(key, value),
  };
  /** What was sent: {url, init, batch, beacon}. */
  requests = [];
  /** How the next requests end: a status, [status, headers, body], 'refused' or 'silent'; 202 if nothing is said. */
  answers = [];
  beacons = true;
  errors = [];
  navigator = {
    sendBeacon: (url, body) => {
      if (this.beacons) this.requests.push({ url, body, batch: JSON.parse(body), beacon: true, accepted: true });
      return this.beacons;
    },
  };
  #ids = 0;

  /** Attaches a client to a new element, or to one that is there. */
  attach(options = {}, media = new Media(this)) {
    const onError = (error) => this.errors.push(error.message);
    const client = this.heatstrip(media, { endpoint: 'http://heat', videoId: 'v', viewerId: 'ada', onError, ...options });
    return { media, client };
  }

  setTimeout(callback, ms) {
    this.#ids += 1;
    this.timers.set(this.#ids, { callback, at: this.now + ms });
    return this.#ids;
  }

  async fetch(url, init) {
    const request = { url, init, batch: JSON.parse(init.body), beacon: false, at: this.now };
    this.requests.push(request);
    const answer = this.answers.shift() ?? 202;
    if (answer === 'refused') throw new TypeError('Failed to fetch');
    if (answer === 'silent') {
      return new Promise((resolve, reject) => {
        request.answer = (answer = 202) => resolve(this.respond(request, answer));
        request.fail = () => reject(new TypeError('Failed to fetch'));
      });
    }
    return this.respond(request, answer);
  }

  respond(request, answer) {
    const [status, headers = {}, body = { rejected: [] }] = [answer].flat();
    request.accepted = status === 202;
    return new Response(JSON.stringify(body), { status, headers });
  }

  /** Lets time pass without anything playing. */
  async pass(seconds) {
    const end = this.now + seconds * 1000;
    for (;;) {
      await settle();
      const due = [...this.timers].filter(([, timer]) => timer.at <= end).sort(([, a], [, b]) => a.at - b.at)[0];
      if (!due) break;
      this.timers.delete(due[0]);
      this.now = Math.max(this.now, due[1].at);
      due[1].callback();
    }
    this.now = end;
  }

  /** How often each second arrived at the server, batches that came twice counted once. */
  counted(videoId = 'v') {
    const plays = [];
    const seen = new Set();
    for (const { batch } of this.requests.filter((request) => request.accepted)) {
      if (seen.has(batch.batch_id)) continue;
      seen.add(batch.batch_id);
      for (const beat of batch.heartbeats.filter((beat) => beat.video_id === videoId)) {
        for (let second = beat.start_sec; second <= beat.end_sec; second++) plays[second] = (plays[second] ?? 0) + 1;
      }
    }
    return Array.from(plays, (count) => count ?? 0);
  }
}

/** As `EventTarget`, but a listener's exception is the test's. */
class Listeners {
  listeners = new Map();

  addEventListener(type, listener) {
    this.listeners.set(type, (this.listeners.get(type) ?? new Set()).add(listener));
  }

  removeEventListener(type, listener) {
    this.listeners.get(type)?.delete(listener);
  }

  emit(type) {
    for (const listener of this.listeners.get(type) ?? []) listener({ type });
  }

  /** How many listen. */
  get size() {
    return [...this.listeners.values()].reduce((sum, listeners) => sum + listeners.size, 0);
  }
}

/** A media element that plays when it is told to. */
export class Media extends Listeners {
  currentTime = 0;
  duration = 100;
  playbackRate = 1;
  paused = true;
  ended = false;
  seeking = false;
  loop = false;
  readyState = 4;

  constructor(world) {
    super();
    this.world = world;
  }

  start() {
    this.paused = false;
    this.emit('play');
    this.emit('playing');
  }

  /** Plays so many seconds of the video, starting if it is paused. */
  async play(seconds) {
    if (this.paused) this.start();
    for (let left = seconds; left > 1e-9; ) {
      const step = Math.min(left, (TIMEUPDATE_MS / 1000) * this.playbackRate);
      await this.world.pass(step / this.playbackRate);
      this.currentTime = Math.round((this.currentTime + step) * 1e6) / 1e6;
      this.emit('timeupdate');
      left -= step;
    }
  }

  pause() {
    this.paused = true;
    this.emit('pause');
  }

  async seek(to) {
    this.seeking = true;
    this.currentTime = to;
    this.emit('seeking');
    await this.world.pass(0.1);
    this.emit('timeupdate');
    this.seeking = false;
    this.emit('seeked');
  }

  end() {
    this.paused = true;
    this.ended = true;
    this.emit('pause');
    this.emit('ended');
  }
}

/** Lets everything run that waits for nothing but its turn. */
export function settle() {
  return new Promise((resolve) => setImmediate(resolve));
}
