import { performance } from 'node:perf_hooks';
import * as vscode from 'vscode';
import { register } from './commands';
import { onDidChoose } from './pythons';
import { Server } from './server';
import { type Facts, Status } from './status';
import { Table } from './table';

let server: Server | undefined;

/** Returns before the server runs: nothing of it is waited for. */
export function activate(context: vscode.ExtensionContext): void {
  const begun = performance.now();
  const log = vscode.window.createOutputChannel('awaitest', { log: true });
  const status = new Status(({ uri }) => running.request<Facts>('awaitest/status', { uri: uri.toString() }));
  const running = new Server(context, log, (state, python) => status.enter(state, python));
  const table = new Table(running, context);
  server = running;
  context.subscriptions.push(
    log,
    status.item,
    ...register(running, table, log, context.extension.id),
    vscode.window.onDidChangeActiveTextEditor(() => status.refresh()),
    vscode.workspace.onDidGrantWorkspaceTrust(() => running.restart()),
    vscode.workspace.onDidChangeWorkspaceFolders(() => running.sendEnvironments()),
    vscode.workspace.onDidChangeConfiguration((event) => {
      if (event.affectsConfiguration('awaitest.interpreter')) void running.restart();
    }),
  );
  void running.restart();
  void onDidChoose(() => running.sendEnvironments()).then(
    (listener) => listener && context.subscriptions.push(listener),
  );
  log.info(`activated in ${(performance.now() - begun).toFixed(1)} ms`);
}

export const deactivate = () => server?.stop();
