// The page of the panel: shows what it kept while it was hidden, then whatever it is sent.
import type { Explanation, Looked } from './explanation';
import { render } from './render';

declare function acquireVsCodeApi(): {
  postMessage(message: Looked): void;
  getState(): Explanation | undefined;
  setState(explanation: Explanation): void;
};

const vscode = acquireVsCodeApi();

function show(explanation: Explanation | undefined): void {
  if (!explanation) return;
  vscode.setState(explanation);
  document.body.replaceChildren(...render(document, explanation, (looked) => vscode.postMessage(looked)));
  const failed = document.querySelector('tr.failed');
  failed?.scrollIntoView({ block: 'nearest' });
  failed?.dispatchEvent(new MouseEvent('mouseenter'));
}

window.addEventListener('message', ({ data }: MessageEvent<Explanation>) => show(data));
show(vscode.getState());
vscode.postMessage('ready');
