// How the player client tells what was played, and what it does when nobody answers.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { Media, makeWorld } from './support/world.js';

let world;
beforeEach(async () => (world = await makeWorld()));

const ones = (seconds) => Array(seconds).fill(1);
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

test('a beat is an envelope of what was played since the last one, as plain text', async () => {
  const { media } = world.attach({ endpoint: 'http://heat/', region: 'JP' });
  await media.play(60);
  assert.ok(world.requests.length >= 5 && world.requests.length <= 7, `${world.requests.length}`);
  let next = 0;
  for (const { url, init, batch } of world.requests) {
    assert.equal(url, 'http://heat/v1/heartbeats');
    const { method, keepalive, credentials, headers } = init;
    assert.deepEqual([method, keepalive, credentials, headers], ['POST', true, 'omit', undefined]);
    assert.deepEqual(Object.keys(batch), ['batch_id', 'heartbeats']);
    assert.match(batch.batch_id, UUID_V7);
    const [{ start_sec, end_sec, ...rest }, ...more] = batch.heartbeats;
    assert.deepEqual(rest, { video_id: 'v', viewer_id: 'ada', region: 'JP', duration_sec: 100 });
    assert.deepEqual(more, []);
    assert.equal(start_sec, next);
    next = end_sec + 1;
  }
  const ids = world.requests.map(({ batch }) => batch.batch_id);
  assert.equal(new Set(ids).size, ids.length);
  assert.deepEqual([...ids].sort(), ids, 'in the order of time');
});

test('beats of many players do not come at once', async () => {
  const times = new Set();
  for (let player = 0; player < 20; player++) {
    world = await makeWorld();
    const { media } = world.attach();
    await media.play(12);
    assert.ok(world.requests[0].at >= 9000 && world.requests[0].at <= 11_500, `${world.requests[0].at}`);
    times.add(Math.round(world.requests[0].at / 100));
  }
  assert.ok(times.size > 5, `${times.size} different times`);
});

test('nothing is sent while nothing plays', async () => {
  const { media } = world.attach();
  await world.pass(100);
  await media.play(3);
  media.pause();
  await world.pass(1000);
  assert.equal(world.requests.length, 1);
  assert.equal(world.timers.size, 0);
});

test('what was not answered is sent again under its id, later and later, and counts once', async () => {
  const { media } = world.attach();
  world.answers = ['refused', 503, 500, 429, 408];
  await media.play(9);
  media.pause();
  await world.pass(120);
  assert.equal(world.requests.length, 6);
  assert.equal(new Set(world.requests.map(({ batch }) => batch.batch_id)).size, 1);
  const waits = world.requests.slice(1).map(({ at }, index) => (at - world.requests[index].at) / 1000);
  assert.ok(waits.some((wait) => wait % 1 > 0.01), 'not all players at once');
  waits.forEach((wait, index) => assert.ok(wait >= 2 ** index && wait <= 1.5 * 2 ** index, `${waits}`));
  assert.deepEqual(world.counted(), ones(9));
  assert.equal(world.errors.length, 1, `told once: ${world.errors}`);
});

test('one request is in flight, and what is played meanwhile follows', async () => {
  const { media, client } = world.attach();
  world.answers = ['silent'];
  await media.play(25);
  assert.equal(world.requests.length, 1);
  const flushed = client.flush();
  world.requests[0].answer();
  assert.equal(await flushed, true);
  assert.equal(world.requests.length, 2);
  assert.deepEqual(world.counted(), ones(25));
});

test('flush tells whether everything has arrived, and the next beat is a whole one later', async () => {
  const { media, client } = world.attach({ region: '' });
  world.answers = [202, 'silent'];
  await media.play(8);
  assert.equal(await client.flush(), true);
  await media.play(5);
  assert.equal(world.requests.length, 1);
  assert.ok(!('region' in world.requests[0].batch.heartbeats[0]));
  const flushed = client.flush();
  await media.play(2);
  world.requests[1].answer();
  assert.equal(await flushed, false);
});

test('Retry-After is honoured, in seconds and as a date, by flush too', async () => {
  for (const header of [() => '40', () => new Date(Date.now() + 52_000).toUTCString()]) {
    world = await makeWorld();
    const { media, client } = world.attach();
    world.answers = [[503, { 'retry-after': header() }]];
    await media.play(8);
    media.pause();
    await world.pass(4);
    const first = world.requests[0].at;
    assert.equal(await client.flush(), false);
    await world.pass(100);
    assert.equal(world.requests.length, 2);
    const waited = (world.requests[1].at - first) / 1000;
    assert.ok(waited >= 39 && waited <= 66, `${waited} s`);
    assert.deepEqual(world.counted(), ones(8));
  }
});

test('a batch is not sent again once the server may have forgotten its id', async () => {
  const { media } = world.attach();
  world.answers = Array(1000).fill('refused');
  await media.play(5);
  media.pause();
  await world.pass(3600);
  const last = world.requests[world.requests.length - 1];
  assert.ok(last.at - world.requests[0].at <= 540_000);
  assert.match(world.errors.join(), /some seconds are lost/);
  assert.equal(world.timers.size, 0);
});

test('a long outage loses the few seconds whose fate is not known, and the rest says when it was', async () => {
  const { media } = world.attach();
  media.duration = 10_000;
  const outage = 1500;
  world.answers = Array(1000).fill('refused');
  await media.play(outage);
  world.answers = [];
  await media.play(200);
  media.pause();
  await world.pass(60);
  const counted = world.counted();
  assert.equal(counted.length, outage + 200);
  assert.ok(counted.every((plays) => plays <= 1));
  const lost = counted.filter((plays) => plays === 0).length;
  assert.ok(lost <= 45, `${lost} s`);
  for (const { batch, at } of world.requests.filter(({ accepted }) => accepted)) {
    for (const beat of batch.heartbeats) {
      const age = at - beat.start_sec * 1000;
      assert.equal(beat.at !== undefined, age > 61_000 || (age > 59_000 && beat.at !== undefined), `${age}`);
      if (beat.at) assert.ok(Math.abs(Date.parse(beat.at) - Date.parse('2026-11-21T10:00:00Z') - beat.start_sec * 1000) < 2000);
    }
  }
});

test('what waits is bounded, and the oldest goes first', async () => {
  const { media, client } = world.attach();
  world.answers = ['silent'];
  await media.play(1);
  client.flush();
  for (let jump = 1; jump <= 700; jump++) {
    await media.seek(10 * jump);
    await media.play(1);
  }
  world.requests[0].answer();
  assert.equal(await client.flush(), true);
  const counted = world.counted();
  const starts = counted.flatMap((plays, second) => (plays ? [second / 10] : []));
  assert.deepEqual([starts[0], starts[1], starts.length], [0, 201, 501]);
  assert.ok(world.requests.every(({ batch }) => batch.heartbeats.length <= 50));
});

test('no request is larger than browsers send for a page that is gone', async () => {
  const widest = '\u{1F4FA}'.repeat(32);
  const { media, client } = world.attach({ videoId: widest, viewerId: widest + widest, region: 'ABCDEFGHIJKLMNOP' });
  media.duration = 86_399.123456789;
  world.answers = ['silent'];
  await media.play(1);
  client.flush();
  for (let jump = 1; jump <= 60; jump++) {
    await media.seek(80_000 + 10 * jump);
    await media.play(1);
  }
  world.window.emit('pagehide');
  for (const { body } of world.requests.filter(({ beacon }) => beacon)) {
    assert.ok(Buffer.byteLength(body) < 32 * 1024, `${Buffer.byteLength(body)}`);
  }
  assert.ok(world.requests.some(({ beacon }) => beacon));
});

for (const status of [401, 403, 410]) {
  test(`${status} ends it`, async () => {
    const { media, client } = world.attach();
    world.answers = ['silent'];
    await media.play(12);
    await world.pass(1);
    media.currentTime += 1;
    world.requests[0].answer(status);
    await world.pass(1);
    await media.play(60);
    media.pause();
    world.window.emit('pagehide');
    await client.flush();
    await world.pass(1000);
    assert.equal(world.requests.length, 1);
    assert.deepEqual([media.size, world.window.size], [0, 0]);
    assert.equal(world.errors.length, 1);
  });
}

for (const status of [400, 404, 413, 415, 422]) {
  test(`${status} costs the batch, is told once and goes on`, async () => {
    const { media } = world.attach();
    world.answers = [[status, {}, { detail: 'no good' }], [status, {}, { detail: 'no good' }]];
    await media.play(60);
    media.pause();
    await world.pass(20);
    assert.deepEqual(world.errors, [`heatstrip: ${status} {"detail":"no good"}`]);
    const counted = world.counted();
    assert.equal(counted[0], 0);
    assert.deepEqual(counted.slice(-20), ones(20));
  });
}

test('a heartbeat that is refused among good ones is told', async () => {
  const { media, client } = world.attach();
  world.answers = [[202, {}, { accepted: 0, rejected: [{ index: 0, field: 'region', reason: 'reserved' }] }]];
  await media.play(3);
  assert.equal(await client.flush(), true);
  assert.match(world.errors.join(), /"reason":"reserved"/);
});

test('a page that goes leaves what waits to a beacon, a string, and the second going sends nothing', async () => {
  const { media } = world.attach();
  await media.play(5.6);
  world.window.emit('pagehide');
  world.document.hidden = true;
  world.window.emit('visibilitychange');
  await world.pass(0);
  assert.equal(world.requests.length, 1);
  assert.equal(world.requests[0].beacon, true);
  assert.equal(typeof world.requests[0].body, 'string');
  assert.deepEqual(world.counted(), ones(6));
});

test('a page that is hidden tells at once, in a way that is answered', async () => {
  const { media } = world.attach();
  await media.play(5);
  world.document.hidden = true;
  world.window.emit('visibilitychange');
  await world.pass(0);
  assert.deepEqual(world.requests.map(({ beacon }) => beacon), [false]);
  world.window.emit('pagehide');
  assert.equal(world.requests.length, 1);
  assert.deepEqual(world.counted(), ones(5));
});

test('a page that goes while a request is in flight sends the rest only', async () => {
  const { media } = world.attach();
  world.answers = ['silent'];
  await media.play(15);
  world.window.emit('pagehide');
  assert.deepEqual(world.requests.map(({ beacon }) => beacon), [false, true]);
  world.requests[0].answer();
  await world.pass(60);
  assert.equal(world.requests.length, 2);
  assert.deepEqual(world.counted(), ones(15));
});

test('where a request dies with its page, a beacon repeats it under its id', async () => {
  globalThis.Request = class {};
  const { media } = world.attach();
  world.answers = ['silent'];
  await media.play(15);
  world.window.emit('pagehide');
  const [fetched, beacon] = world.requests;
  assert.equal(beacon.batch.batch_id, fetched.batch.batch_id);
  media.pause();
  fetched.fail();
  await world.pass(0);
  assert.equal(world.timers.size, 1, 'the beat, no second try');
  await world.pass(60);
  assert.deepEqual(world.counted(), ones(15));
  assert.equal(world.requests.length, 3);
});

test('a batch that waits for its next try goes out under its id with the page', async () => {
  const { media } = world.attach();
  world.answers = ['refused'];
  await media.play(12);
  media.pause();
  world.window.emit('pagehide');
  const [tried, ...beacons] = world.requests;
  assert.equal(beacons[0].batch.batch_id, tried.batch.batch_id);
  assert.deepEqual(world.counted(), ones(12));
});

test('a page that comes back sends what the browser refused to, and goes on', async () => {
  const { media } = world.attach();
  await media.play(5);
  world.beacons = false;
  world.window.emit('pagehide');
  assert.equal(world.requests.length, 0);
  // Frozen for an hour; then it plays on.
  world.now += 3_600_000;
  await world.pass(20);
  assert.deepEqual(world.counted(), ones(5));
  await media.play(20);
  media.pause();
  await world.pass(20);
  assert.deepEqual(world.counted(), ones(25));
});

test('a jump while the page was frozen counts nothing', async () => {
  const { media, client } = world.attach();
  await media.play(5);
  world.window.emit('pagehide');
  world.now += 3_600_000;
  media.currentTime = 60;
  await media.play(2);
  await client.flush();
  // From the first position that is told after the jump on.
  assert.deepEqual(world.counted(), [...ones(5), ...Array(55).fill(0), ...ones(2)]);
});

test('detach tells the rest, leaves nothing behind and is harmless again', async () => {
  const { media, client } = world.attach();
  world.answers = ['refused'];
  await media.play(7);
  client.detach();
  client.detach();
  assert.equal(media.size, 0);
  await media.play(3);
  await world.pass(60);
  assert.equal(await client.flush(), true);
  assert.deepEqual(world.counted(), ones(7));
  assert.deepEqual([world.window.size, world.timers.size], [0, 0]);
  assert.deepEqual(Reflect.ownKeys(media).filter((key) => typeof key === 'symbol'), []);
});

test('nothing keeps an element that is forgotten', async () => {
  const { media } = world.attach();
  assert.equal(world.window.size, 0);
  await media.play(3);
  assert.equal(world.window.size, 2);
  // As browsers do when it is taken out of the page.
  media.pause();
  assert.equal(world.window.size, 2);
  await world.pass(20);
  assert.deepEqual([world.window.size, world.timers.size], [0, 0]);
  assert.deepEqual(world.counted(), ones(3));
});

test('ids that are numbers arrive as text', async () => {
  const { media, client } = world.attach({ videoId: 42, viewerId: () => 7 });
  await media.play(1);
  await client.flush();
  const [{ video_id, viewer_id }] = world.requests[0].batch.heartbeats;
  assert.deepEqual([video_id, viewer_id], ['42', '7']);
});

test('an element attached twice counts once, two elements count each', async () => {
  const { media } = world.attach();
  await media.play(5);
  const { client } = world.attach({}, media);
  await media.play(5);
  await client.flush();
  await world.pass(60);
  assert.deepEqual(world.counted(), ones(10));
  const other = world.attach();
  await other.media.play(2);
  await other.client.flush();
  assert.deepEqual(world.counted(), [2, 2, ...ones(8)]);
});

test('without a viewer id the browser keeps one, and without storage the page does', async () => {
  const viewerOf = async (options) => {
    const { media, client } = world.attach({ viewerId: undefined, ...options });
    await media.play(1);
    await client.flush();
    return world.requests[world.requests.length - 1].batch.heartbeats[0].viewer_id;
  };
  const first = await viewerOf();
  assert.match(first, /^[0-9a-f]{32}$/);
  const { stored } = world;
  assert.deepEqual([...stored], [['heatstrip.viewer', first]]);
  world = await makeWorld();
  for (const entry of stored) world.stored.set(...entry);
  assert.equal(await viewerOf(), first);

  world = await makeWorld();
  Object.defineProperty(globalThis, 'localStorage', {
    configurable: true,
    get() {
      throw new Error('denied');
    },
  });
  const unstored = await viewerOf();
  assert.match(unstored, /^[0-9a-f]{32}$/);
  assert.notEqual(unstored, first);
  assert.equal(await viewerOf(), unstored);
  assert.deepEqual(world.errors, []);
});

test('Do Not Track and Global Privacy Control are respected if asked', async () => {
  for (const signal of [{ doNotTrack: '1' }, { globalPrivacyControl: true }]) {
    for (const respectDoNotTrack of [true, false]) {
      world = await makeWorld();
      Object.assign(world.navigator, signal);
      const { media, client } = world.attach({ respectDoNotTrack, viewerId: undefined });
      await media.play(3);
      assert.equal(await client.flush(), true);
      client.detach();
      assert.equal(world.requests.length, respectDoNotTrack ? 0 : 1);
      assert.equal(world.stored.size, respectDoNotTrack ? 0 : 1);
    }
  }
});

test('nothing is thrown into the page', async () => {
  const inert = [
    [null, { endpoint: '', videoId: 'v' }],
    [new Media(world), undefined],
    [new Media(world), { videoId: 'v' }],
    [new Media(world), { endpoint: '' }],
  ];
  for (const [media, options] of inert) {
    const errors = [];
    const client = world.heatstrip(media, options && { ...options, onError: (error) => errors.push(error) });
    assert.equal(await client.flush(), true);
    client.detach();
    if (options) assert.equal(errors.length, 1);
  }
  const broken = () => {
    throw new Error('broken');
  };
  for (const options of [{ videoId: broken }, { counts: broken }, { region: broken }, { onError: broken }]) {
    world = await makeWorld();
    const { media, client } = world.attach(options);
    if (options.onError) world.answers = [422];
    await media.play(3);
    await client.flush();
    client.detach();
    if (!options.onError) assert.deepEqual(world.errors, ['heatstrip: Error: broken']);
  }
});

test('nor is anything rejected', async () => {
  const { getRandomValues } = crypto;
  const { media, client } = world.attach();
  await media.play(3);
  crypto.getRandomValues = () => {
    throw new Error('no chance');
  };
  try {
    assert.equal(await client.flush(), false);
  } finally {
    crypto.getRandomValues = getRandomValues;
  }
  assert.deepEqual(world.errors, ['heatstrip: Error: no chance']);
});

test('importing it needs no browser', async () => {
  for (const name of ['document', 'navigator', 'localStorage', 'addEventListener']) delete globalThis[name];
  const module = await import('../../web/client/heatstrip.js?no-browser');
  assert.equal(typeof module.heatstrip, 'function');
});
