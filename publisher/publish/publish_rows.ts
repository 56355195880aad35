/** Publishing many users: each row ends as a published event, a rejected row or a failure. */
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import type { Publisher, PublishOptions } from "../levels/publisher.ts";
import { forEachBounded } from "./bounded_concurrency.ts";
import type { Counts, Report } from "./publish_report.ts";
import type { RejectedRow, UserRow } from "./sources/user_row.ts";

/** After so many failures without a success between them, the rest would fail as well. */
export const MAX_FAILURES_IN_A_ROW = 500;

/**
 * Reads `rows` up to the first that is a user, and tells what is wrong with those before it. Resolves
 * with that one and all behind it, or with nothing where there is none: then nobody need connect.
 *
 * @throws what `rows` throws.
 */
export async function fromFirstUser(
  rows: AsyncIterable<UserRow>,
  counts: Counts,
  report: Report,
): Promise<AsyncIterable<UserRow> | undefined> {
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

function reject({ line, problem }: RejectedRow, counts: Counts, report: Report): void {
  counts.rejected++;
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
  readonly onProgress: (counts: Counts) => void;
  /** Is called once after {@link MAX_FAILURES_IN_A_ROW}. It should abort `signal`. */
  readonly onHopeless: () => void;
  /** Once it aborts, no further row is begun; what is under way settles. */
  readonly signal: AbortSignal;
}

/**
 * Publishes every user of `rows`, in order, and keeps `counts` of what becomes of them. Resolves when
 * all have settled, also after an abort.
 *
 * @throws what `rows` throws, unless that is the abort's own reason.
 */
export async function publishRows(
  rows: AsyncIterable<UserRow>,
  counts: Counts,
  options: PublishRowsOptions,
): Promise<void> {
  const { publisher, report, publishOptions, signal } = options;
  let failuresInARow = 0;

  const publishRow = async (row: UserRow) => {
    if ("problem" in row) {
      reject(row, counts, report);
      return;
    }
    const event = createUsuarioCreado(row.user);
    const outcome = await publisher.publish(event, publishOptions);
    if ("error" in outcome) {
      counts.failed[outcome.status] = (counts.failed[outcome.status] ?? 0) + 1;
      report.failed(row.line, event, outcome);
      if (++failuresInARow === MAX_FAILURES_IN_A_ROW) options.onHopeless();
      return;
    }
    failuresInARow = 0;
    counts.published++;
    if (outcome.status === "confirmed") counts.confirmed++;
  };

  const work = async (row: UserRow) => {
    await publishRow(row);
    options.onProgress(counts);
  };
  try {
    await forEachBounded(rows, work, { limit: options.limit, signal });
  } catch (error) {
    if (!signal.aborted || error !== signal.reason) throw error;
  }
}
