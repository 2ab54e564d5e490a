// The empty page of the panel, and how its test moves in the file.
import { randomUUID } from 'node:crypto';
import type { TextDocumentContentChangeEvent } from 'vscode';

/** Where a line stands after changes: what was put in or taken out above it shifts it. */
export function moved(line: number, changes: readonly TextDocumentContentChangeEvent[]): number {
  const above = changes.filter(({ range }) => range.end.line < line);
  const added = above.map(({ range, text }) => text.split('\n').length - 1 - (range.end.line - range.start.line));
  return added.reduce((sum, lines) => sum + lines, line);
}

/** The page with its own script and style, closed to everything else. Nothing of the user's is in it. */
export function page(script: string, style: string, nonce = randomUUID()): string {
  const policy = `default-src 'none'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'`;
  return `<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>Explained test</title>
<meta http-equiv="Content-Security-Policy" content="${policy}"><style nonce="${nonce}">${style}</style></head>
<body><script nonce="${nonce}">${script}</script></body></html>`;
}
