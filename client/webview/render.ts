// Execution table and variable tracker as elements. What is shown reaches the page as text, never as HTML.
import type { Explanation, Looked, Step } from './explanation';

const COLUMNS = ['step', 'line', 'action', 'awaited', 'result', 'assertion'];
const RUN = ['step', 'place', 'action', 'awaited', 'result', 'assertion', 'time'];
const WRONG = /^(missing|never|fails|proves nothing|raises )|` fails/;

/** The elements of an explanation; `tell` hears which row has the focus, and which button is pressed. */
export function render(page: Document, shown: Explanation, tell: (looked: Looked) => void): HTMLElement[] {
  const { title, rows, outcome, message, notes = [], requests = [] } = shown;
  const names = [...new Set(rows.flatMap((row) => Object.keys(row.variables)))];
  const lines: HTMLElement[] = [];
  let at = -1; // the step that was looked at last
  const table = (caption: string, columns: readonly string[], cells: (row: Step) => unknown[]) => {
    const heads = columns.map((column) => element(page, 'th', column, { scope: 'col' }));
    const body = rows.map((row) => {
      const texts = cells(row).map((cell) => String(cell ?? ''));
      const parts = texts.map((text) => element(page, 'td', text, WRONG.test(text) ? { class: 'wrong' } : {}));
      const line = element(page, 'tr', parts, { tabindex: '0', ...(row.failed ? { class: 'failed' } : {}) });
      const look = () => {
        at = rows.indexOf(row);
        tell(row.uri ? { line: row.line, uri: row.uri } : { line: row.line });
      };
      line.addEventListener('focus', look);
      line.addEventListener('mouseenter', look);
      line.addEventListener('keydown', ({ key }) => {
        const next = key === 'ArrowDown' ? line.nextElementSibling : key === 'ArrowUp' && line.previousElementSibling;
        if (next) (next as HTMLElement).focus();
      });
      return line;
    });
    lines.push(...body);
    const head = element(page, 'thead', [element(page, 'tr', heads)]);
    return element(page, 'table', [element(page, 'caption', caption), head, element(page, 'tbody', body)]);
  };
  const button = (text: string, press: () => void) => {
    const made = element(page, 'button', text);
    made.addEventListener('click', press);
    return made;
  };
  const predicted = rows.some((row) => row.predicted) ? ['predicted'] : [];
  const columns = outcome === undefined ? COLUMNS : [...RUN, ...predicted];
  const heads = columns.map((column) => (column === 'predicted' ? 'as it reads' : column));
  const steps = table('Execution table', heads, (row) => columns.map((column) => row[column] || '–'));
  const held = table('Variable tracker', ['step', ...names], (row) => [
    row.step,
    ...names.map((it) => row.variables[it]),
  ]);
  const tables = [...(rows.length > 0 ? [steps] : []), ...(names.length > 0 ? [held] : [])];
  const heading = element(page, 'h1', title);
  if (outcome === undefined && message === undefined) return [heading, ...(rows.length > 0 ? tables : [steps])];
  const failed = rows.findIndex((row) => row.failed);
  const go = (step: number) => lines[Math.max(0, Math.min(rows.length - 1, step))]?.focus();
  const bar = element(page, 'p', [
    ...(failed < 0 ? [] : [button(`Failed step ${rows[failed]?.step}`, () => go(failed))]),
    button('Previous step', () => go(at - 1)),
    button('Next step', () => go(at + 1)),
    button('Run again', () => tell('again')),
    button('Copy as Markdown', () => tell('copy')),
  ]);
  const end = element(page, 'p', outcome ?? 'not run', outcome === 'passed' ? {} : { class: 'wrong' });
  const told = element(
    page,
    'ul',
    notes.map((note) => element(page, 'li', note)),
  );
  const sent = requests.map((it) => {
    const more = element(page, 'pre', [JSON.stringify(it.more, undefined, 2)]);
    return element(page, 'details', [element(page, 'summary', it.title), more]);
  });
  return [heading, end, ...(message ? [element(page, 'pre', [message])] : []), bar, ...tables, ...sent, told];
}

type Content = string | (string | HTMLElement)[];

function element(page: Document, name: string, content: Content, attributes = {}): HTMLElement {
  const made = page.createElement(name);
  const parts = (text: string) => text.split('`').map((part, i) => (i % 2 ? element(page, 'code', [part]) : part));
  made.append(...(typeof content === 'string' ? parts(content) : content));
  for (const [key, value] of Object.entries<string>(attributes)) made.setAttribute(key, value);
  return made;
}
