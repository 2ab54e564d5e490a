// What the server tells of one test, and what the page tells of its reader.
export interface Step {
  readonly step: number;
  readonly line: number;
  readonly variables: Readonly<Record<string, string>>;
  /** The file, where it was run; else that of the test. */
  readonly uri?: string;
  readonly failed?: boolean;
  readonly [column: string]: unknown;
}

export interface Explanation {
  readonly title: string;
  readonly rows: readonly Step[];
  readonly markdown?: string;
  /** What follows is there where the test was run. */
  readonly outcome?: string;
  readonly message?: string;
  readonly notes?: readonly string[];
  readonly requests?: readonly { readonly title: string; readonly more: object }[];
  readonly left?: readonly {
    readonly uri: string;
    readonly line: number;
    readonly code: string;
    readonly message: string;
  }[];
}

/** A line looked at, from 1, 0 where it stands nowhere; that the page is loaded; or a button. */
export type Looked = { readonly line: number; readonly uri?: string } | 'ready' | 'again' | 'copy';
