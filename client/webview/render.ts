// Execution table and variable tracker as elements. What is shown reaches the page as text, never as HTML.
import type { Explanation, Step } from './explanation';

const COLUMNS = ['step', 'line', 'action', 'awaited', 'result', 'assertion'];
const WRONG = /^(missing|fails|proves nothing)/;

/** The elements of an explanation; `look` is called with the line of a row that gets the focus. */
export function render(page: Document, { title, rows }: Explanation, look: (line: number) => void): HTMLElement[] {
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.variables)))];
  const table = (caption: string, columns: readonly string[], cells: (row: Step) => unknown[]) => {
    const heads = columns.map((column) => element(page, 'th', column, { scope: 'col' }));
    const lines = rows.map((row) => {
      const texts = cells(row).map((cell) => String(cell ?? ''));
      const parts = texts.map((text) => element(page, 'td', text, WRONG.test(text) ? { class: 'wrong' } : {}));
      const line = element(page, 'tr', parts, { tabindex: '0' });
      line.addEventListener('focus', () => look(row.line));
      return line;
    });
    const head = element(page, 'thead', [element(page, 'tr', heads)]);
    return element(page, 'table', [element(page, 'caption', caption), head, element(page, 'tbody', lines)]);
  };
  const steps = table('Execution table', COLUMNS, (row) => COLUMNS.map((column) => row[column] || '–'));
  const held = table('Variable tracker', ['step', ...names], (row) => [
    row.step,
    ...names.map((it) => row.variables[it]),
  ]);
  return [element(page, 'h1', title), steps, ...(names.length > 0 ? [held] : [])];
}

type Content = string | (string | HTMLElement)[];

function element(page: Document, name: string, content: Content, attributes = {}): HTMLElement {
  const made = page.createElement(name);
  const parts = (text: string) => text.split('`').map((part, i) => (i % 2 ? element(page, 'code', [part]) : part));
  made.append(...(typeof content === 'string' ? parts(content) : content));
  for (const [key, value] of Object.entries<string>(attributes)) made.setAttribute(key, value);
  return made;
}
