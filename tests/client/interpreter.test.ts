import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Candidate, candidates, choose, type Places, prober } from '../../client/src/interpreter';

const NOWHERE: Places = { setting: [], chosen: [], folders: [] };
const PATH: Candidate[] = [
  ['PATH', 'python3'],
  ['PATH', 'python'],
  ['PATH', 'py'],
];

const places: [title: string, places: Partial<Places>, offered: Candidate[]][] = [
  ['nothing known: the PATH', {}, []],
  [
    'the setting comes first, with its arguments',
    { setting: ['py', '-3.12'], chosen: ['/chosen/python'] },
    [
      ['awaitest.interpreter', 'py', '-3.12'],
      ['Python extension', '/chosen/python'],
    ],
  ],
  ['a choice that is no path is no choice', { chosen: ['python'] }, []],
  [
    'environments of every folder, where they exist',
    { folders: ['/one', '/two'] },
    [
      ['workspace', '/one/.venv/bin/python'],
      ['workspace', '/two/venv/bin/python'],
    ],
  ],
];

for (const [title, given, offered] of places) {
  test(`candidates: ${title}`, { skip: process.platform === 'win32' }, () => {
    const exist = new Set([join('/one', '.venv', 'bin', 'python'), join('/two', 'venv', 'bin', 'python')]);
    const found = candidates({ ...NOWHERE, ...given }, (path) => exist.has(String(path)));
    assert.deepEqual(found, [...offered, ...PATH]);
  });
}

const answers: [title: string, answers: Record<string, string | Error>, chosen: string | undefined][] = [
  ['the first that is new enough', { a: '3 10 /a\n', b: '3 15 /b\n' }, '/a'],
  ['older ones are passed over', { a: '3 9 /a\n', b: '2 7 /b\n', c: '3 11 /c d\r\n' }, '/c d'],
  ['one that does not start', { a: new Error('ENOENT'), b: '3 12 /b\n' }, '/b'],
  ['one that is no Python', { a: 'hello\n', b: '', c: '3 12 \n', d: '3 12 /d\n' }, '/d'],
  ['noise before the answer', { a: 'a shim speaks\n3 13 /a\n' }, '/a'],
  ['Python 4 has to be tried out first', { a: '4 0 /a\n' }, undefined],
  ['none at all', {}, undefined],
];

for (const [title, table, chosen] of answers) {
  test(`choose: ${title}`, async () => {
    const asked: string[] = [];
    const told: string[] = [];
    const probe = async ([program = '']: readonly string[]) => {
      asked.push(program);
      const answer = table[program] ?? '';
      if (answer instanceof Error) throw answer;
      return answer;
    };
    const offered = Object.keys(table).map((name): Candidate => ['test', name]);
    assert.equal(await choose(offered, probe, (line) => told.push(line)), chosen);
    const until = chosen === undefined ? offered.length : asked.length;
    assert.deepEqual(asked, Object.keys(table).slice(0, until), 'each is tried once, none after the chosen one');
    assert.equal(told.length, asked.length);
    assert.equal(told.filter((line) => line.startsWith('uses ')).length, chosen === undefined ? 0 : 1);
  });
}

test('prober: a real process answers, isolated, from the folder given', async () => {
  const probe = prober(process.cwd());
  const echo = await probe([process.execPath, '-e', 'console.log(process.argv.slice(1).join(" "))', '--']);
  assert.match(echo, /^-I -S -X utf8 -c import sys; print\(.*sys\.executable\)\n$/);
});

test('prober: what cannot be started, and what fails, is an error', async () => {
  const probe = prober(process.cwd());
  await assert.rejects(probe(['/no/such/python']), /ENOENT/);
  await assert.rejects(probe([process.execPath, '-e', 'process.exit(3)', '--']), /Command failed/);
  await assert.rejects(probe([]));
});
