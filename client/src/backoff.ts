// How long to wait before a crashed server is started again. Times are in milliseconds.
const WINDOW = 180_000;
const MOST = 5;
const FIRST = 500;

/** Crashes that still count after one at `now`, the last one of them that. */
export function counted(crashes: readonly number[], now: number): number[] {
  return [...crashes.filter((time) => now - time < WINDOW), now];
}

/** The delay after so many crashes: it doubles; undefined where starting again is pointless. */
export function delay(crashes: number): number | undefined {
  return crashes > MOST ? undefined : FIRST * 2 ** (crashes - 1);
}
