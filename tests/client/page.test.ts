import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TextDocumentContentChangeEvent } from 'vscode';
import { moved, page } from '../../client/src/page';

test('the page runs its own script only, and loads nothing', () => {
  const html = page('draw(1 < 2)', 'td { color: red }');
  const [, policy = ''] = /http-equiv="Content-Security-Policy" content="([^"]*)"/.exec(html) ?? [];
  const [, nonce = ''] = /<script nonce="([^"]+)">draw\(1 < 2\)<\/script>/.exec(html) ?? [];
  assert.equal(policy, `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'`);
  assert.ok(nonce.length >= 32);
  assert.ok(html.includes(`<style nonce="${nonce}">td { color: red }</style>`));
  assert.match(html, /<html lang="en">/);
  assert.doesNotMatch(html, /\s(src|href|on\w+)=|unsafe-inline|unsafe-eval/);
});

test('every page has a nonce of its own', () => {
  assert.notEqual(page('', ''), page('', ''));
});

const edit = (start: number, end: number, text: string) =>
  ({ range: { start: { line: start }, end: { line: end } }, text }) as unknown as TextDocumentContentChangeEvent;

const edits: [title: string, changes: TextDocumentContentChangeEvent[], line: number][] = [
  ['no change', [], 10],
  ['a line put in above', [edit(3, 3, 'import pytest\n')], 11],
  ['two lines taken out above', [edit(3, 5, '')], 8],
  ['one for another', [edit(3, 4, 'x\n')], 10],
  ['on the line itself', [edit(10, 10, '\n')], 10],
  ['below', [edit(11, 20, '')], 10],
  ['several at once', [edit(12, 12, '\n'), edit(3, 3, '\n\n'), edit(1, 2, '')], 11],
];

for (const [title, changes, line] of edits) {
  test(`a test moves: ${title}`, () => assert.equal(moved(10, changes), line));
}
