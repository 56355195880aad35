/** What the children say, as far as a run needs to know: counted, and waited for. */
import { LateError } from "@ecomarket/shared/base/poll";
import type { LogRecord } from "./log_record.ts";

/** The records of one role, over all of its processes. */
export class LogWatch {
  readonly #waiting = new Set<(record: LogRecord) => void>();
  /** Deliveries that were recognised as done already. */
  duplicates = 0;
  /** Deliveries that the broker handed out for a second time at least. */
  redeliveries = 0;
  handled = 0;

  /** Is called with every record. */
  readonly onRecord = (record: LogRecord): void => {
    if (record.outcome === "handled") this.handled++;
    if (record.outcome === "duplicate") this.duplicates++;
    if (record.outcome && record.redelivered) this.redeliveries++;
    for (const listener of this.#waiting) listener(record);
  };

  /**
   * The next record for which `isWanted` holds.
   *
   * @throws {LateError} that says what was waited for, after `timeoutMs`.
   */
  next(
    what: string,
    isWanted: (record: LogRecord) => boolean,
    timeoutMs: number = 30_000,
  ): Promise<LogRecord> {
    const { promise, resolve, reject } = Promise.withResolvers<LogRecord>();
    const timer = setTimeout(() => reject(new LateError(what, timeoutMs)), timeoutMs);
    const listener = (record: LogRecord) => {
      if (isWanted(record)) resolve(record);
    };
    this.#waiting.add(listener);
    const record = promise.finally(() => {
      clearTimeout(timer);
      this.#waiting.delete(listener);
    });
    record.catch(() => {}); // Whoever gave up before it came need not hear of it.
    return record;
  }

  /** Calls `listener` at every effect, until the returned function is called. */
  onEffect(listener: () => void): () => void {
    return this.#listen(({ outcome }) => {
      if (outcome === "handled") listener();
    });
  }

  /** Calls `listener` whenever a process tells its memory, until the returned function is called. */
  onMemory(listener: (pid: number, bytes: number) => void): () => void {
    return this.#listen(({ pid, memoryBytes }) => {
      if (pid !== undefined && memoryBytes !== undefined) listener(pid, memoryBytes);
    });
  }

  #listen(listener: (record: LogRecord) => void): () => void {
    this.#waiting.add(listener);
    return () => void this.#waiting.delete(listener);
  }

  /** The next effect that is committed. */
  nextEffect(timeoutMs?: number): Promise<LogRecord> {
    return this.next("an effect", ({ outcome }) => outcome === "handled", timeoutMs);
  }
}
