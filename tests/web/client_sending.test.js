// How the player client tells what was played, and what it does when nobody answers.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { makeWorld } from './support/world.js';

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
    const [{ start_sec, end_sec, view, ...rest }, ...more] = batch.heartbeats;
    // Once, with the tenth second.
    assert.equal(view, start_sec <= 9 && end_sec >= 9 ? true : undefined);
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
