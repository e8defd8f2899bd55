// How the player client behaves towards its page: when it goes and comes back, and what it leaves behind.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { Media, makeWorld } from './support/world.js';

let world;
beforeEach(async () => (world = await makeWorld()));

const ones = (seconds) => Array(seconds).fill(1);

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
