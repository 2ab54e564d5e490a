// The language status item: how tests run here, on which Python, and what is wrong with that.
import * as vscode from 'vscode';
import type { State } from './server';

/** What the server tells of the project a file belongs to. Lines count from 1. */
export interface Facts {
  readonly mode: string;
  readonly runner: string;
  readonly environment: string;
  readonly python: string;
  readonly problems: readonly { readonly path: string; readonly line: number | null; readonly message: string }[];
}

type Look = readonly [detail: string, command: vscode.Command, severity: keyof typeof vscode.LanguageStatusSeverity];

const LOG = { title: 'Show Log', command: 'awaitest.showLogs' };
const RESTART = { title: 'Restart', command: 'awaitest.restart' };
const CHOOSE = { title: 'Choose', command: 'workbench.action.openSettings', arguments: ['awaitest.interpreter'] };
const LOOKS: Record<State, Look> = {
  starting: ['starting', LOG, 'Information'],
  running: ['running', LOG, 'Information'],
  'without python': ['needs a Python, 3.10 or newer', CHOOSE, 'Error'],
  restarting: ['crashed, starting again', LOG, 'Warning'],
  crashed: ['keeps crashing', RESTART, 'Error'],
};

export class Status {
  readonly item = vscode.languages.createLanguageStatusItem('awaitest', { language: 'python', scheme: 'file' });
  private state: State = 'starting';
  private python = '';

  constructor(private readonly ask: (document: vscode.TextDocument) => Promise<Facts | undefined>) {
    this.item.name = 'awaitest';
  }

  enter(state: State, python = ''): void {
    this.state = state;
    this.python = python;
    if (state !== 'running') this.show('awaitest', LOOKS[state]);
    else void this.refresh();
  }

  /** Ask about the file that is looked at. */
  async refresh(): Promise<void> {
    const document = vscode.window.activeTextEditor?.document;
    if (this.state !== 'running') return;
    const facts = document?.languageId === 'python' ? await this.ask(document).catch(() => undefined) : undefined;
    if (this.state !== 'running' || document !== vscode.window.activeTextEditor?.document) return;
    if (facts) this.show([facts.runner, facts.mode].filter(Boolean).join(', '), this.lookOf(facts));
    else this.show('awaitest', LOOKS.running);
  }

  private lookOf({ problems: [problem, ...more], environment, python }: Facts): Look {
    if (problem === undefined)
      return [`${environment}, Python ${python}; server on ${this.python}`, LOG, 'Information'];
    const line = (problem.line ?? 1) - 1;
    const where = [vscode.Uri.file(problem.path), { selection: new vscode.Range(line, 0, line, 0) }];
    const message = more.length > 0 ? `${problem.message} (and ${more.length} more)` : problem.message;
    return [message, { title: 'Show', command: 'vscode.open', arguments: where }, 'Warning'];
  }

  private show(text: string, [detail, command, severity]: Look): void {
    const busy = this.state === 'starting' || this.state === 'restarting';
    Object.assign(this.item, { text, detail, command, busy, severity: vscode.LanguageStatusSeverity[severity] });
  }
}
