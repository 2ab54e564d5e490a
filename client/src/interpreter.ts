// Finds a Python for the server. Knows nothing of VS Code, so that a test can make up every place.
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isAbsolute, join } from 'node:path';

/** Where to look, best first. `folders` are those of a trusted workspace, else none. */
export type Places = Readonly<Record<'setting' | 'chosen' | 'folders', readonly string[]>>;

/** A command line that may start Python, and where it comes from. */
export type Candidate = readonly [origin: string, ...command: string[]];

/** Answers version and executable of what a command line starts, such as `3 11 /usr/bin/python3`. Rejects where it starts nothing. */
export type Probe = (command: readonly string[]) => Promise<string>;

export type Log = (line: string) => void;

const ENVIRONMENTS = ['.venv', 'venv'];
const INSIDE = process.platform === 'win32' ? ['Scripts', 'python.exe'] : ['bin', 'python'];
const ON_PATH = ['python3', 'python', 'py'];
const QUESTION = 'import sys; print(*sys.version_info[:2], sys.executable)';
const TIME_LIMIT = 10_000;

/** Everything that may be a Python, in the order to try it. */
export function candidates({ setting, chosen, folders }: Places, exists = existsSync): Candidate[] {
  const inside = folders.flatMap((folder) => ENVIRONMENTS.map((name) => join(folder, name, ...INSIDE)));
  return [
    ...(setting.length > 0 ? [['awaitest.interpreter', ...setting] as const] : []),
    ...chosen.filter(isAbsolute).map((path) => ['Python extension', path] as const),
    ...inside.filter((path) => exists(path)).map((path) => ['workspace', path] as const),
    ...ON_PATH.map((name) => ['PATH', name] as const),
  ];
}

/** The executable of the first candidate that is Python 3.10 or newer; `log` hears about each one tried. */
export async function choose(offered: readonly Candidate[], probe: Probe, log: Log): Promise<string | undefined> {
  for (const [origin, ...command] of offered) {
    const answer = await probe(command).catch((error: Error) => error.message);
    const [, major, minor, executable] = /^(\d+) (\d+) (.+)$/m.exec(answer) ?? [];
    const fits = Number(major) === 3 && Number(minor) >= 10;
    log(`${fits ? 'uses' : 'passes over'} ${command.join(' ')} (${origin}): ${answer.trim()}`);
    if (fits) return executable?.trim();
  }
  return undefined;
}

/** A probe that really starts the command, isolated, in a folder that holds nothing of the user's. */
export function prober(cwd: string): Probe {
  return ([program = '', ...rest]) =>
    new Promise((resolve, reject) => {
      const all = [...rest, '-I', '-S', '-X', 'utf8', '-c', QUESTION];
      const child = execFile(program, all, { cwd, timeout: TIME_LIMIT, windowsHide: true }, (error, out) =>
        error ? reject(error) : resolve(out),
      );
      child.stdin?.end();
    });
}
