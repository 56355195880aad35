/** How long to wait before another try at what is not the message's fault. */

/** The wait before the `n`-th new try: 100, 200, 400, … ms, at most 5 s. */
export function backoffDelayMs(n: number): number {
  return Math.min(100 * 2 ** (n - 1), 5_000);
}
