import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Explanation, Looked } from '../../client/webview/explanation';
import { render } from '../../client/webview/render';
import { type FakeElement, fakeDocument } from './dom';

const step = (number: number, line: number, cells: Record<string, string>, variables: Record<string, string>) => ({
  step: number,
  line,
  action: '',
  awaited: '–',
  result: '–',
  assertion: '–',
  ...cells,
  variables,
});

const LESSON: Explanation = {
  title: 'test_hello',
  rows: [
    step(1, 7, { action: 'create AsyncClient', result: 'instance' }, { ac: 'none' }),
    step(2, 8, { action: 'GET /hello', awaited: 'missing', result: 'coroutine, never run' }, { ac: 'open' }),
    step(3, 0, { action: 'check', result: 'fails: a coroutine' }, { ac: 'closed', step: 'a variable' }),
  ],
};

function rendered(explanation: Explanation, tell = (_looked: Looked) => {}): FakeElement[] {
  return render(fakeDocument, explanation, tell) as unknown as FakeElement[];
}

const texts = (elements: FakeElement[] | undefined) => elements?.map(({ text }) => text);
const rows = (table: FakeElement | undefined) => table?.all('tbody')[0]?.all('tr') ?? [];

test('a title and two tables that can be named', () => {
  const [title, steps, held, ...rest] = rendered(LESSON);
  assert.deepEqual([title?.name, title?.text], ['h1', 'test_hello']);
  assert.deepEqual(texts(steps?.all('caption')), ['Execution table']);
  assert.deepEqual(texts(steps?.all('th')), ['step', 'line', 'action', 'awaited', 'result', 'assertion']);
  assert.deepEqual(texts(held?.all('caption')), ['Variable tracker']);
  assert.deepEqual(texts(held?.all('th')), ['step', 'ac', 'step']);
  assert.ok([steps, held].every((table) => table?.all('th').every((head) => head.attributes.scope === 'col')));
  assert.deepEqual(rest, []);
});

test('the rows, in the order of the steps', () => {
  const [, steps, held] = rendered(LESSON);
  assert.deepEqual(
    rows(steps).map((row) => texts(row.all('td'))),
    [
      ['1', '7', 'create AsyncClient', '–', 'instance', '–'],
      ['2', '8', 'GET /hello', 'missing', 'coroutine, never run', '–'],
      ['3', '–', 'check', '–', 'fails: a coroutine', '–'],
    ],
  );
  assert.deepEqual(
    rows(held).map((row) => texts(row.all('td'))),
    [
      ['1', 'none', ''],
      ['2', 'open', ''],
      ['3', 'closed', 'a variable'],
    ],
  );
});

test('what is wrong stands out', () => {
  const [, steps] = rendered(LESSON);
  const wrong = steps?.all('td').filter((cell) => cell.attributes.class === 'wrong');
  assert.deepEqual(texts(wrong), ['missing', 'fails: a coroutine']);
});

test('every row can have the focus, and says which line it is about', () => {
  const looked: Looked[] = [];
  const [, steps, held] = rendered(LESSON, (it) => looked.push(it));
  const all = [...rows(steps), ...rows(held)];
  assert.ok(all.every((row) => row.attributes.tabindex === '0'));
  for (const row of all) row.listeners.focus?.();
  assert.deepEqual(
    looked,
    [7, 8, 0, 7, 8, 0].map((line) => ({ line })),
  );
});

test('text of the user stays text', () => {
  const evil = '<img src=x onerror=alert(1)>';
  const [title, steps] = rendered({ title: evil, rows: [step(1, 1, { action: evil }, { [evil]: evil })] });
  assert.equal(title?.text, evil);
  assert.equal(rows(steps)[0]?.all('td')[2]?.text, evil);
  assert.deepEqual(steps?.all('img'), []);
});

test('what stands between backticks is code', () => {
  const [, steps] = rendered({
    title: '',
    rows: [step(1, 1, { action: 'enter `async with x` and `y', result: '`a`' }, {})],
  });
  assert.deepEqual(texts(steps?.all('code')), ['async with x', 'y', 'a']);
  assert.equal(rows(steps)[0]?.all('td')[2]?.text, 'enter async with x and y');
});

test('a test without variables has one table', () => {
  assert.deepEqual(
    rendered({ title: 'test_nothing', rows: [] }).map(({ name }) => name),
    ['h1', 'table'],
  );
});

const RUN: Explanation = {
  title: 'test_a.py::test_hello',
  outcome: 'failed',
  message: 'assert 1 == 2',
  notes: ['Python 3.13.0, pytest 9.2.0', '`work()` was never awaited (line 9)'],
  requests: [{ title: 'GET http://test/ · 200', more: { status: 200 } }],
  rows: [
    { ...step(1, 8, { action: 'define endpoint' }, { ac: 'none' }), uri: 'file:///app.py', place: 'app.py:8' },
    { ...step(2, 9, { action: 'call `work(…)`', awaited: 'never' }, { ac: 'open' }), place: '9' },
    { ...step(3, 10, { action: 'check', assertion: '`assert a == b` fails: 1 == 2' }, { ac: 'open' }), failed: true },
  ],
};

test('a run has an end, a message, buttons, requests and what was left behind', () => {
  const parts = rendered(RUN);
  assert.deepEqual(
    parts.map(({ name }) => name),
    ['h1', 'p', 'pre', 'p', 'table', 'table', 'details', 'ul'],
  );
  assert.deepEqual(texts(parts[3]?.all('button')), [
    'Failed step 3',
    'Previous step',
    'Next step',
    'Run again',
    'Copy as Markdown',
  ]);
  assert.deepEqual(texts(parts[4]?.all('th')), ['step', 'place', 'action', 'awaited', 'result', 'assertion', 'time']);
  assert.deepEqual(
    rows(parts[4]).map((row) => row.attributes.class),
    [undefined, undefined, 'failed'],
  );
  const wrong = parts[4]?.all('td').filter((cell) => cell.attributes.class === 'wrong');
  assert.deepEqual(texts(wrong), ['never', 'assert a == b fails: 1 == 2']);
  assert.deepEqual(texts(parts[7]?.all('li')), ['Python 3.13.0, pytest 9.2.0', 'work() was never awaited (line 9)']);
});

test('the steps are gone through one by one, wherever the focus went meanwhile', () => {
  const told: number[] = [];
  const parts = rendered(RUN, (it) => typeof it === 'object' && told.push(it.line));
  const [failed, previous, next] = parts[3]?.all('button') ?? [];
  for (const button of [next, next, next, next, previous, failed, previous, previous, previous])
    button?.listeners.click?.();
  assert.deepEqual(told, [8, 9, 10, 10, 9, 10, 9, 8, 8]);
  rows(parts[5])[1]?.listeners.focus?.();
  next?.listeners.click?.();
  assert.deepEqual(told.slice(-2), [9, 10]);
});

test('where reading had told something else, both are shown side by side', () => {
  const [first, second] = RUN.rows;
  assert.ok(first && second);
  const parts = rendered({ ...RUN, rows: [first, { ...second, predicted: 'nothing is missing' }] });
  assert.equal(texts(parts[4]?.all('th'))?.at(-1), 'as it reads');
  assert.deepEqual(
    rows(parts[4]).map((row) => texts(row.all('td'))?.at(-1)),
    ['–', 'nothing is missing'],
  );
});

test('buttons tell what they are for, rows of other files name them', () => {
  const told: Looked[] = [];
  const parts = rendered(RUN, (it) => told.push(it));
  for (const button of parts[3]?.all('button').slice(3) ?? []) button.listeners.click?.();
  rows(parts[4])[0]?.listeners.focus?.();
  rows(parts[4])[1]?.listeners.mouseenter?.();
  assert.deepEqual(told, ['again', 'copy', { line: 8, uri: 'file:///app.py' }, { line: 9 }]);
});

test('a run that never came about says why', () => {
  const parts = rendered({ title: 'test_a', rows: [], message: 'no interpreter' });
  assert.deepEqual(parts.map(({ name, text }) => [name, text]).slice(0, 3), [
    ['h1', 'test_a'],
    ['p', 'not run'],
    ['pre', 'no interpreter'],
  ]);
});
