// Which seconds the player client counts.

import assert from 'node:assert/strict';
import { beforeEach, test } from 'node:test';

import { Media, makeWorld } from './support/world.js';

let world;
beforeEach(async () => (world = await makeWorld()));

/** `plays` with these counts from the first second on, as `[count, seconds]`. */
const strip = (...parts) => parts.flatMap(([count, seconds]) => Array(seconds).fill(count));

test('what was played counts, to the second', async () => {
  const { media, client } = world.attach();
  await media.play(25);
  media.pause();
  await client.flush();
  assert.deepEqual(world.counted(), strip([1, 25]));
  assert.deepEqual(world.errors, []);
});

test('beats that follow each other count no second twice and skip none, wherever they end', async () => {
  const { media, client } = world.attach();
  for (const seconds of [0.4, 0.2, 0.9, 3.3, 0.5, 0.5, 7.75, 0.05, 1.9]) {
    await media.play(seconds);
    await client.flush();
  }
  // 15.5 s: the middle of second 15 was just reached.
  assert.deepEqual(world.counted(), strip([1, 16]));
});

test('a second counts when its middle was played', async () => {
  const { media, client } = world.attach();
  media.currentTime = 2.6;
  await media.play(1.8);
  await client.flush();
  assert.deepEqual(world.counted(), [0, 0, 0, 1]);
});

test('nothing counts between play and playing, nor while it waits for data', async () => {
  const { media, client } = world.attach();
  media.paused = false;
  media.readyState = 2;
  media.emit('play');
  await world.pass(5);
  media.currentTime = 4;
  media.emit('timeupdate');
  media.readyState = 4;
  media.emit('playing');
  await media.play(2);
  media.readyState = 2;
  media.emit('waiting');
  await world.pass(20);
  media.currentTime += 3;
  media.readyState = 4;
  media.emit('playing');
  await media.play(2);
  await client.flush();
  assert.deepEqual(world.counted(), [0, 0, 0, 0, 1, 1, 0, 0, 0, 1, 1]);
});

test('a stall without an event counts what was played only', async () => {
  const { media, client } = world.attach();
  await media.play(3);
  await world.pass(8);
  media.emit('timeupdate');
  media.currentTime = 8;
  media.emit('timeupdate');
  await media.play(1);
  await client.flush();
  assert.deepEqual(world.counted(), [1, 1, 1, 0, 0, 0, 0, 0, 1]);
});

test('a seek counts nothing between, whatever position the browser tells while it seeks', async () => {
  const { media, client } = world.attach();
  await media.play(5);
  await media.seek(20);
  await media.play(3);
  // As Safari: the old position in the event, the new one later.
  media.seeking = true;
  media.emit('seeking');
  media.currentTime = 10;
  media.emit('timeupdate');
  media.seeking = false;
  media.emit('seeked');
  await media.play(2);
  // A seek that is over before its event is told.
  media.currentTime = 10.3;
  media.emit('seeking');
  media.emit('seeked');
  await media.play(1);
  await client.flush();
  assert.deepEqual(world.counted(), strip([1, 5], [0, 5], [2, 1], [1, 1], [0, 8], [1, 3]));
});

test('a short seek counts nothing between either', async () => {
  for (const told of ['seeking', 'timeupdate']) {
    world = await makeWorld();
    const { media, client } = world.attach();
    await media.play(4.25);
    media.currentTime = 4.6;
    // Its event comes late, or its end comes before its event.
    media.seeking = told === 'timeupdate';
    media.emit(told);
    media.seeking = false;
    media.emit('seeked');
    await media.play(1.9);
    await client.flush();
    assert.deepEqual(world.counted(), [1, 1, 1, 1, 0, 1, 1], told);
  }
});

test('a jump without any event counts nothing', async () => {
  const { media, client } = world.attach();
  await media.play(2);
  media.currentTime += 3;
  await media.play(2);
  media.currentTime -= 6;
  await media.play(1);
  await client.flush();
  assert.deepEqual(world.counted(), [1, 2, 0, 0, 0, 1, 1]);
});

test('playing faster or slower counts seconds of the video', async () => {
  const { media, client } = world.attach();
  await media.play(2);
  media.playbackRate = 16;
  // The position runs on before the event is told.
  media.currentTime += 1;
  await world.pass(1 / 16);
  media.emit('ratechange');
  await media.play(40);
  // And after it is told.
  media.playbackRate = 0.5;
  media.emit('ratechange');
  await world.pass(0.25);
  media.currentTime += 4;
  media.emit('timeupdate');
  await media.play(3);
  await client.flush();
  assert.deepEqual(world.counted(), strip([1, 50]));
});

test('a video that loops counts each pass, to its very end', async () => {
  for (const seeks of [true, false]) {
    world = await makeWorld();
    const { media, client } = world.attach();
    Object.assign(media, { loop: true, duration: 6.7 });
    for (let pass = 0; pass < 3; pass++) {
      // The last quarter of a second is not told before it begins again.
      await media.play(6.5);
      await world.pass(0.2);
      media.currentTime = 0;
      media.seeking = seeks;
      if (seeks) media.emit('seeking');
      media.seeking = false;
      if (seeks) media.emit('seeked');
    }
    await media.play(1.5);
    await client.flush();
    assert.deepEqual(world.counted(), strip([4, 2], [3, 5]), `with seeking events: ${seeks}`);
  }
});

test('a seek back in a video that loops is no pass', async () => {
  const { media, client } = world.attach();
  Object.assign(media, { loop: true, duration: 10 });
  await media.play(9);
  await media.seek(0);
  await media.play(2);
  media.pause();
  await client.flush();
  assert.deepEqual(world.counted(), strip([2, 2], [1, 7]));
});

test('nor is a seek back from a pause just before the end', async () => {
  const { media, client } = world.attach();
  Object.assign(media, { loop: true, duration: 9.9 });
  await media.play(9.4);
  media.pause();
  await media.seek(0);
  await client.flush();
  assert.deepEqual(world.counted(), strip([1, 9]));
});

test('the end tells at once, up to the last second', async () => {
  const { media } = world.attach();
  media.duration = 4.6;
  await media.play(4.6);
  media.end();
  await world.pass(0);
  assert.deepEqual(world.counted(), strip([1, 5]));
});

test('a position told a little behind, as around a pause, counts no second twice', async () => {
  const { media, client } = world.attach();
  await media.play(2.51);
  media.currentTime = 2.49;
  media.pause();
  media.currentTime = 2.48;
  await media.play(0.5);
  await client.flush();
  assert.deepEqual(world.counted(), strip([1, 3]));
});

test('a hidden page counts on, unless the site says otherwise', async () => {
  for (const [counts, expected] of [
    [undefined, strip([1, 90])],
    [() => !document.hidden, strip([1, 10], [0, 70], [1, 10])],
  ]) {
    world = await makeWorld();
    const { media, client } = world.attach({ counts });
    await media.play(10);
    world.document.hidden = true;
    world.window.emit('visibilitychange');
    // In the background the position may be told once a minute.
    await world.pass(70);
    media.currentTime += 70;
    world.document.hidden = false;
    world.window.emit('visibilitychange');
    await media.play(10);
    await client.flush();
    assert.deepEqual(world.counted(), expected);
  }
});

test('a page that begins hidden is asked, though no event tells', async () => {
  world.document.hidden = true;
  const { media, client } = world.attach({ counts: () => !document.hidden });
  await media.play(5);
  await client.flush();
  assert.deepEqual(world.requests, []);
  assert.deepEqual([...world.stored], [], 'nor is anything kept');
});

test('an element that plays already counts from there', async () => {
  const media = new Media(world);
  await media.play(3.4);
  const { client } = world.attach({}, media);
  await media.play(1.2);
  await client.flush();
  assert.deepEqual(world.counted(), [0, 0, 0, 1, 1]);
});

test('ids that change with the source count for what played, and none counts nothing', async () => {
  let item = { video: 'a', viewer: 'ada', region: 'JP' };
  const { media, client } = world.attach({
    videoId: () => item?.video,
    viewerId: () => item?.viewer,
    region: () => item?.region,
  });
  await media.play(3);
  media.currentTime = 0;
  media.emit('emptied');
  item = undefined;
  await media.play(2);
  item = { video: 'b', viewer: 'bob' };
  media.emit('emptied');
  await media.play(1);
  await client.flush();
  const [{ batch }] = world.requests;
  assert.deepEqual(batch.heartbeats, [
    { video_id: 'a', viewer_id: 'ada', region: 'JP', start_sec: 0, end_sec: 2, duration_sec: 100 },
    { video_id: 'b', viewer_id: 'bob', start_sec: 2, end_sec: 2, duration_sec: 100 },
  ]);
});

test('a change of any id in the middle of playing begins another heartbeat', async () => {
  for (const name of ['videoId', 'viewerId', 'region']) {
    world = await makeWorld();
    let id = 'AA';
    const { media, client } = world.attach({ [name]: () => id });
    await media.play(3);
    id = 'BB';
    await media.play(0.25);
    await media.play(2.75);
    await client.flush();
    const field = { videoId: 'video_id', viewerId: 'viewer_id', region: 'region' }[name];
    const beats = world.requests[0].batch.heartbeats;
    assert.deepEqual(beats.map((beat) => [beat[field], beat.start_sec, beat.end_sec]), [['AA', 0, 2], ['BB', 3, 5]]);
  }
});

test('a source that begins where the one before ended counts from there', async () => {
  const { media, client } = world.attach();
  media.currentTime = 10.3;
  await media.play(0.3);
  Object.assign(media, { currentTime: 10.3, paused: true });
  media.emit('emptied');
  await media.play(0.3);
  await client.flush();
  assert.equal(world.counted()[10], 2);
});

test('the next source begins anew, close as its position may be', async () => {
  const { media, client } = world.attach();
  await media.play(0.4);
  media.emit('emptied');
  media.currentTime = 0;
  await media.play(0.4);
  media.emit('emptied');
  await client.flush();
  assert.deepEqual(world.requests, [], 'no middle of a second was played');
});

test('streams without an end tell no length, nor do those with an absurd one', async () => {
  for (const duration of [Infinity, NaN, 2 ** 32, 0]) {
    world = await makeWorld();
    const { media, client } = world.attach();
    media.duration = duration;
    await media.play(2);
    await client.flush();
    assert.deepEqual(world.requests[0].batch.heartbeats, [
      { video_id: 'v', viewer_id: 'ada', start_sec: 0, end_sec: 1 },
    ]);
  }
});

test('one stretch of more than ten minutes is split', async () => {
  const { media, client } = world.attach();
  media.duration = 10_000;
  media.start();
  await world.pass(1300);
  media.currentTime = 1300;
  await client.flush();
  assert.deepEqual(
    world.requests.flatMap(({ batch }) => batch.heartbeats).map(({ start_sec, end_sec }) => [start_sec, end_sec]),
    [[0, 599], [600, 1199], [1200, 1299]],
  );
});

test('seconds beyond a day do not count', async () => {
  const { media, client } = world.attach();
  Object.assign(media, { duration: Infinity, currentTime: 86_398 });
  await media.play(10);
  await client.flush();
  const [{ batch }] = world.requests;
  assert.deepEqual(batch.heartbeats.map(({ start_sec, end_sec }) => [start_sec, end_sec]), [[86_398, 86_399]]);
});
