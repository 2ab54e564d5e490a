import assert from 'node:assert/strict';
import { test } from 'node:test';
import { counted, delay } from '../../client/src/backoff';

test('the delay doubles, then starting again is given up', () => {
  assert.deepEqual([1, 2, 3, 4, 5, 6, 7].map(delay), [500, 1000, 2000, 4000, 8000, undefined, undefined]);
});

test('crashes of three minutes count, the new one with them', () => {
  assert.deepEqual(counted([], 7), [7]);
  assert.deepEqual(counted([0, 1, 179_999], 180_000), [1, 179_999, 180_000]);
  assert.deepEqual(counted([0, 1], 1_000_000), [1_000_000]);
});
