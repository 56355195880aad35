/** Many things done at once, with a limit to how many. */

/** What bounds {@link forEachBounded}. */
export interface BoundedOptions {
  /** How many items may be under way at once. */
  readonly limit: number;
  /** Once it aborts, no further item is begun. */
  readonly signal: AbortSignal;
}

/**
 * Begins `work` on each of `items`, in their order and with at most `limit` under way, in constant
 * memory. Settles only when everything that was begun has settled, also after an abort or a failure.
 *
 * @throws the first error of `items` or of `work`, after which nothing more is begun.
 */
export async function forEachBounded<T>(
  items: AsyncIterable<T>,
  work: (item: T) => Promise<void>,
  { limit, signal }: BoundedOptions,
): Promise<void> {
  let underWay = 0;
  let onSettled = () => {};
  const settled = () => new Promise<void>((resolve) => onSettled = resolve);
  const failures: unknown[] = [];

  const begin = async (item: T) => {
    underWay++;
    try {
      await work(item);
    } catch (error) {
      failures.push(error);
    } finally {
      underWay--;
      onSettled();
    }
  };

  try {
    for await (const item of items) {
      while (underWay >= limit) await settled();
      if (signal.aborted || failures.length > 0) break;
      void begin(item);
    }
  } catch (error) {
    failures.push(error);
  }
  while (underWay > 0) await settled();
  if (failures.length > 0) throw failures[0];
}
