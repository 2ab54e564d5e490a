// The panel beside the editor: one test step by step, as it reads, following each edit, or as it ran.
import { readFileSync } from 'node:fs';
import * as vscode from 'vscode';
import type { Explanation, Looked } from '../webview/explanation';
import { moved, page } from './page';
import type { Server } from './server';

/** Where a test stands; positions count from 0. */
export interface Place {
  readonly uri: string;
  readonly position: { readonly line: number; readonly character: number };
}

const PAUSE = 300;
const RUNNING = { location: vscode.ProgressLocation.Notification, title: 'Running the test', cancellable: true };

export class Table {
  private panel: vscode.WebviewPanel | undefined;
  private place: Place | undefined;
  private shown: Explanation | undefined;
  private later: NodeJS.Timeout | undefined;
  private readonly left = vscode.languages.createDiagnosticCollection('awaitest trace');
  private readonly mark = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('editor.rangeHighlightBackground'),
  });

  constructor(
    private readonly server: Server,
    private readonly context: vscode.ExtensionContext,
  ) {
    const changed = vscode.workspace.onDidChangeTextDocument((event) => this.follow(event));
    context.subscriptions.push(this.mark, this.left, changed);
  }

  /** Explain the test at a place, or explain it anew in a panel that shows it; false where there is none. */
  async show(place: Place | undefined, panel?: vscode.WebviewPanel): Promise<boolean> {
    const explanation = place && (await this.server.execute<Explanation | null>('awaitest.server.explain', [place]));
    if (!explanation || (panel && panel !== this.panel)) return false;
    return this.present(explanation, panel ? this.place : place);
  }

  /** Run the test at a place and show what it did; false where there is none, or where the run was cancelled. */
  async trace(place: Place | undefined): Promise<boolean> {
    await vscode.workspace.saveAll(false);
    const run = (token: vscode.CancellationToken) =>
      this.server.execute<Explanation | null>('awaitest.server.trace', [place], token);
    const traced = await vscode.window.withProgress(RUNNING, (_, token) => run(token).catch(() => null));
    if (!traced) return false;
    this.left.clear();
    for (const uri of new Set(traced.left?.map((it) => it.uri)))
      this.left.set(vscode.Uri.parse(uri), traced.left?.filter((it) => it.uri === uri).map(diagnostic));
    return this.present(traced, place);
  }

  private present(explanation: Explanation, place: Place | undefined): boolean {
    this.place = place;
    this.shown = explanation;
    this.panel ??= this.open();
    this.panel.title = explanation.title;
    void this.panel.webview.postMessage(explanation);
    return true;
  }

  private open(): vscode.WebviewPanel {
    const read = (path: string) => readFileSync(this.context.asAbsolutePath(path), 'utf8');
    const beside = { viewColumn: vscode.ViewColumn.Beside, preserveFocus: true };
    const options = { enableScripts: true, localResourceRoots: [] };
    const panel = vscode.window.createWebviewPanel('awaitest.table', '', beside, options);
    const { webview } = panel;
    webview.onDidReceiveMessage((it: Looked) => this.hear(it));
    panel.onDidDispose(() => {
      this.panel = this.place = this.shown = undefined;
      this.left.clear();
      this.look(0);
    });
    webview.html = page(read('client/dist/table.js'), read('media/table.css'));
    return panel;
  }

  private hear(looked: Looked): void {
    if (looked === 'ready') void this.panel?.webview.postMessage(this.shown);
    else if (looked === 'copy') void vscode.env.clipboard.writeText(this.shown?.markdown ?? '');
    else if (looked === 'again') void this.trace(this.place);
    else this.look(looked.line, looked.uri);
  }

  private look(line: number, file = this.place?.uri): void {
    for (const editor of vscode.window.visibleTextEditors) {
      const { uri, lineCount } = editor.document;
      const here = file !== undefined && `${uri}` === `${vscode.Uri.parse(file)}` && 0 < line && line <= lineCount;
      const { range } = editor.document.lineAt(here ? line - 1 : 0);
      editor.setDecorations(this.mark, here ? [range] : []);
      if (here) editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    }
  }

  private follow({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    if (contentChanges.length > 0) this.left.delete(document.uri);
    if (!this.place || document.uri.toString() !== this.place.uri) return;
    const { uri, position } = this.place;
    this.place = { uri, position: { ...position, line: moved(position.line, contentChanges) } };
    clearTimeout(this.later);
    if (!this.shown?.notes) this.later = setTimeout(() => this.show(this.place, this.panel), PAUSE);
  }
}

function diagnostic(it: NonNullable<Explanation['left']>[number]): vscode.Diagnostic {
  const line = new vscode.Range(it.line - 1, 0, it.line - 1, Number.MAX_SAFE_INTEGER);
  const made = new vscode.Diagnostic(line, it.message.replaceAll('`', ''), vscode.DiagnosticSeverity.Warning);
  return Object.assign(made, { source: 'awaitest trace', code: it.code });
}
