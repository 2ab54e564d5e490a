// What the server tells of one test, and what the page tells of its reader.
export interface Step {
  readonly step: number;
  readonly line: number;
  readonly variables: Readonly<Record<string, string>>;
  readonly [column: string]: unknown;
}

export interface Explanation {
  readonly title: string;
  readonly rows: readonly Step[];
}

/** The line looked at, from 1, 0 where it stands in another file; or that the page is loaded. */
export type Looked = number | 'ready';
