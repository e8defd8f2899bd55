// When the player client says that a session has become a view.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { makeWorld } from './support/world.js';

let world;
beforeEach(async () => (world = await makeWorld()));

/** The heartbeats that were sent as views. */
const views = () => world.requests.flatMap(({ batch }) => batch.heartbeats).filter((beat) => beat.view);

test('a session is a view once it has played ten seconds, and once only', async () => {
  const { media, client } = world.attach();
  await media.play(9.4);
  await client.flush();
  assert.deepEqual(views(), []);
  await media.play(0.2);
  await client.flush();
  assert.equal(views().length, 1);
  assert.equal(views()[0].end_sec, 9);
  await media.play(60);
  await media.seek(0);
  await media.play(30);
  await client.flush();
  assert.equal(views().length, 1);
});

test('media time counts, whatever the clock says', async () => {
  const { media, client } = world.attach();
  await media.play(5);
  media.pause();
  await world.pass(3600);
  await media.seek(100);
  await media.play(4);
  await client.flush();
  assert.deepEqual(views(), []);
  // Seconds that are played again are played.
  await media.seek(0);
  await media.play(2);
  await client.flush();
  assert.equal(views().length, 1);
});

test('of a short video half will do', async () => {
  const { media, client } = world.attach();
  media.duration = 8;
  await media.play(3.4);
  await client.flush();
  assert.deepEqual(views(), []);
  await media.play(0.6);
  await client.flush();
  assert.equal(views().length, 1);
});

test('a stream without an end needs what a long video needs', async () => {
  const { media, client } = world.attach();
  media.duration = Infinity;
  await media.play(12);
  await client.flush();
  assert.equal(views().length, 1);
});

test('the page may say when, and that there are none', async () => {
  for (const [viewAfter, seconds, expected] of [[30, 29, 0], [30, 31, 1], [0, 1, 1], [Infinity, 100, 0]]) {
    world = await makeWorld();
    const { media, client } = world.attach({ viewAfter });
    await media.play(seconds);
    await client.flush();
    assert.equal(views().length, expected, `${seconds} s of ${viewAfter}`);
  }
});

test('another video and another viewer are other sessions', async () => {
  let videoId = 'v';
  let viewerId = 'ada';
  const { media, client } = world.attach({ videoId: () => videoId, viewerId: () => viewerId });
  await media.play(11);
  await media.seek(0);
  videoId = 'w';
  await media.play(6);
  await media.seek(0);
  viewerId = 'bob';
  await media.play(6);
  await client.flush();
  assert.deepEqual(views().map((beat) => beat.video_id), ['v']);
  await media.play(6);
  await client.flush();
  assert.deepEqual(views().map((beat) => `${beat.video_id} ${beat.viewer_id}`), ['v ada', 'w bob']);
});

test('what does not count does not make a view', async () => {
  let counts = false;
  const { media, client } = world.attach({ counts: () => counts });
  await media.play(20);
  counts = true;
  await media.seek(0);
  await media.play(9);
  await client.flush();
  assert.deepEqual(views(), []);
});
