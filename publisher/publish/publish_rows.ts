/** Publishing many rows: each ends as a published event, a rejected row or a failure. */
import type { Publisher, PublishOptions } from "../levels/publisher.ts";
import { forEachBounded } from "./bounded_concurrency.ts";
import type { EventRow } from "./event_row.ts";
import type { PublishCounts } from "./publish_counts.ts";
import type { Report } from "./publish_report.ts";
import type { RejectedRow } from "./sources/source_row.ts";

/** After so many failures without a success between them, the rest would fail as well. */
export const MAX_FAILURES_IN_A_ROW = 500;

/**
 * Reads `rows` up to the first that is an event, and tells what is wrong with those before it. Resolves
 * with that one and all behind it, or with nothing where there is none: then nobody need connect.
 *
 * @throws what `rows` throws.
 */
export async function fromFirstEvent(
  rows: AsyncIterable<EventRow>,
  counts: PublishCounts,
  report: Report,
): Promise<AsyncIterable<EventRow> | undefined> {
  const iterator = rows[Symbol.asyncIterator]();
  for (;;) {
    const { done, value: row } = await iterator.next();
    if (done) return undefined;
    if ("problem" in row) reject(row, counts, report);
    else return startingWith(row, { [Symbol.asyncIterator]: () => iterator });
  }
}

async function* startingWith<T>(first: T, others: AsyncIterable<T>): AsyncGenerator<T> {
  yield first;
  yield* others;
}

function reject({ line, problem }: RejectedRow, counts: PublishCounts, report: Report): void {
  counts.reject();
  report.rejected(line, problem);
}

/** How {@link publishRows} publishes. */
export interface PublishRowsOptions {
  readonly publisher: Publisher;
  /** Where each row's fate is told. */
  readonly report: Report;
  /** Events under way at once. */
  readonly limit: number;
  readonly publishOptions: PublishOptions;
  /** Is told after every row. */
  readonly onProgress: (counts: PublishCounts) => void;
  /** Is called once after {@link MAX_FAILURES_IN_A_ROW}. It should abort `signal`. */
  readonly onHopeless: () => void;
  /** Once it aborts, no further row is begun; what is under way settles. */
  readonly signal: AbortSignal;
}

/**
 * Publishes every event of `rows`, in order, and keeps `counts` of what becomes of them. Resolves when
 * all have settled, also after an abort.
 *
 * @throws what `rows` throws, unless that is the abort's own reason.
 */
export async function publishRows(
  rows: AsyncIterable<EventRow>,
  counts: PublishCounts,
  options: PublishRowsOptions,
): Promise<void> {
  const { publisher, report, publishOptions, signal } = options;
  let failuresInARow = 0;

  const publishRow = async (row: EventRow) => {
    if ("problem" in row) {
      reject(row, counts, report);
      return;
    }
    const outcome = await publisher.publish(row.event, publishOptions);
    counts.settle(outcome);
    if (!("error" in outcome)) {
      failuresInARow = 0;
      return;
    }
    report.failed(row.line, row.event, outcome);
    if (++failuresInARow === MAX_FAILURES_IN_A_ROW) options.onHopeless();
  };

  const work = async (row: EventRow) => {
    await publishRow(row);
    options.onProgress(counts);
  };
  try {
    await forEachBounded(rows, work, { limit: options.limit, signal });
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  }
}
