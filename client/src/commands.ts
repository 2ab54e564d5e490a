// The commands, and the pages of the rules, which are documents that the server writes.
import { basename } from 'node:path';
import * as vscode from 'vscode';
import { RULES, type Server } from './server';
import type { Place, Table } from './table';

/** Who asks to have a test explained: a code lens names a URI, the Test Explorer an entry, the palette means the cursor. */
type Asked = string | vscode.TestItem | vscode.Uri | undefined;

/** Commands and documents of the extension with this identifier. */
export function register(server: Server, table: Table, log: vscode.LogOutputChannel, id: string): vscode.Disposable[] {
  const add = vscode.commands.registerCommand;
  return [
    add('awaitest.restart', () => server.restart()),
    add('awaitest.showLogs', () => log.show(true)),
    add('awaitest.openWalkthrough', () =>
      vscode.commands.executeCommand('workbench.action.openWalkthrough', `${id}#tests-that-run`),
    ),
    add('awaitest.fixAllInWorkspace', async () => {
      const done = await server.execute<{ edits: number }>('awaitest.server.fixAll');
      if (done) say(`${done.edits} places repaired`);
    }),
    add('awaitest.explainTest', async (asked: Asked, position?: Place['position']) => {
      const place = placeOf(asked, position);
      if (!place || !(await table.show(place))) say('there is no test here');
    }),
    add('awaitest.traceTest', async (asked: Asked, position?: Place['position']) => {
      const place = placeOf(asked, position);
      if (!vscode.workspace.isTrusted) say('tests are run in trusted workspaces only');
      else if (!place || !(await table.trace(place))) say('no test was run');
    }),
    add('awaitest.openRule', async (code = codeAtCursor()) => {
      if (code) await vscode.commands.executeCommand('vscode.open', vscode.Uri.joinPath(RULES, `${code}.md`));
      else say('nothing was found on this line');
    }),
    vscode.workspace.registerTextDocumentContentProvider(RULES.scheme, {
      provideTextDocumentContent: ({ path }) => server.execute<string>('awaitest.server.rule', [basename(path, '.md')]),
    }),
  ];
}

function say(message: string): void {
  vscode.window.setStatusBarMessage(`awaitest: ${message}`, 5_000);
}

function placeOf(asked: Asked, position?: Place['position']): Place | undefined {
  if (typeof asked === 'string') return position && { uri: asked, position };
  if (asked && 'range' in asked)
    return asked.uri && asked.range && { uri: `${asked.uri}`, position: asked.range.start };
  const editor = vscode.window.activeTextEditor ?? vscode.window.visibleTextEditors[0];
  return editor && { uri: `${editor.document.uri}`, position: editor.selection.active };
}

function codeAtCursor(): string | undefined {
  const editor = vscode.window.activeTextEditor;
  if (!editor) return undefined;
  const found = vscode.languages.getDiagnostics(editor.document.uri).filter(({ source }) => source === 'awaitest');
  const code = found.find(({ range }) => range.intersection(editor.selection))?.code;
  return code === undefined ? undefined : `${typeof code === 'object' ? code.value : code}`;
}
