// The panel beside the editor that explains one test, step by step, and follows it while the file is edited.
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

export class Table {
  private panel: vscode.WebviewPanel | undefined;
  private place: Place | undefined;
  private later: NodeJS.Timeout | undefined;
  private readonly mark = vscode.window.createTextEditorDecorationType({
    isWholeLine: true,
    backgroundColor: new vscode.ThemeColor('editor.rangeHighlightBackground'),
  });

  constructor(
    private readonly server: Server,
    private readonly context: vscode.ExtensionContext,
  ) {
    const changed = vscode.workspace.onDidChangeTextDocument((event) => this.follow(event));
    context.subscriptions.push(this.mark, changed);
  }

  /** Explain the test at a place, or explain it anew in a panel that shows it; false where there is none. */
  async show(place: Place | undefined, shown?: vscode.WebviewPanel): Promise<boolean> {
    const explanation = place && (await this.server.execute<Explanation | null>('awaitest.server.explain', place));
    if (!explanation || (shown && shown !== this.panel)) return false;
    if (!shown) this.place = place;
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
    webview.onDidReceiveMessage((it: Looked) => {
      if (it !== 'ready') this.look(it);
      else void this.show(this.place, panel);
    });
    panel.onDidDispose(() => {
      this.panel = this.place = undefined;
      this.look(0);
    });
    webview.html = page(read('client/dist/table.js'), read('media/table.css'));
    return panel;
  }

  private look(line: number): void {
    for (const editor of vscode.window.visibleTextEditors) {
      const { uri, lineCount } = editor.document;
      const here = uri.toString() === this.place?.uri && 0 < line && line <= lineCount;
      const { range } = editor.document.lineAt(here ? line - 1 : 0);
      editor.setDecorations(this.mark, here ? [range] : []);
      if (here) editor.revealRange(range, vscode.TextEditorRevealType.InCenterIfOutsideViewport);
    }
  }

  private follow({ document, contentChanges }: vscode.TextDocumentChangeEvent): void {
    if (!this.place || document.uri.toString() !== this.place.uri) return;
    const { uri, position } = this.place;
    this.place = { uri, position: { ...position, line: moved(position.line, contentChanges) } };
    clearTimeout(this.later);
    this.later = setTimeout(() => this.show(this.place, this.panel), PAUSE);
  }
}
