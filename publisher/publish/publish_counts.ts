/** What became of the rows so far. */
import type { PublishOutcome } from "../levels/publisher.ts";

/** An outcome that is a failure. */
export type Failure = Extract<PublishOutcome, { error: unknown }>;

/** Counts each row once, by what became of it. */
export class PublishCounts {
  /** Events that were handed to the publisher and have not failed. */
  published = 0;
  /** Those of them that the broker has confirmed. */
  confirmed = 0;
  /** Rows that are no valid event. */
  rejected = 0;
  /** Events that were not delivered, or perhaps not, by the outcome's status. */
  readonly failed: Partial<Record<Failure["status"], number>> = {};

  /** Whether every row was published. */
  get isComplete(): boolean {
    return this.rejected === 0 && Object.keys(this.failed).length === 0;
  }

  /** Counts a row that is no valid event. */
  reject(): void {
    this.rejected++;
  }

  /** Counts an event that has this outcome. */
  settle(outcome: PublishOutcome): void {
    if ("error" in outcome) {
      this.failed[outcome.status] = (this.failed[outcome.status] ?? 0) + 1;
      return;
    }
    this.published++;
    if (outcome.status === "confirmed") this.confirmed++;
  }
}
