// The words and the parts of questions about the audience, without a page.

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { readClock, returns, said } from '../../web/audience.js';

test('times as people write them', () => {
  for (const [text, secs] of [['0', 0], ['90', 90], ['1:30', 90], [' 1:00:05 ', 3605], ['', null], ['1:', null], ['x', null], ['-1', null], ['1:2:3:4', null]]) {
    assert.equal(readClock(text), secs, text);
  }
});

test('conditions as a sentence', () => {
  assert.equal(said([]), '');
  assert.equal(said([{ kind: 'saw', from: 0, to: 30 }]), 'saw 0:00–0:30');
  const three = [{ kind: 'saw', from: 0, to: 30 }, { kind: 'saw', from: 60, to: 70 }, { kind: 'missed', from: 540, to: 600 }];
  assert.equal(said(three), 'saw 0:00–0:30, saw 1:00–1:10 and missed 9:00–10:00');
});

test('whoever left is in one part and no other', () => {
  for (const end of [100, 107, 3_000]) {
    const parts = returns(40, 49, end);
    assert.equal(parts.length, 8);
    assert.equal(parts.at(-1).back, null);
    assert.deepEqual(parts.at(-1).conditions[1], { kind: 'missed', from: 50, to: end });
    for (let part = 0; part < 7; part++) {
      const { back, conditions: [, missed, saw] } = parts[part];
      assert.deepEqual(saw, back);
      assert.equal(missed.from, 50);
      assert.equal(missed.to, back.from - 1, 'nothing lies between what was missed and where they came back');
      assert.ok(back.from <= back.to && back.to <= end);
      if (part) assert.equal(back.from, parts[part - 1].back.to + 1);
    }
    assert.equal(parts[6].back.to, end);
  }
  assert.deepEqual(returns(0, 97, 100), [], 'too little comes after it');
});
