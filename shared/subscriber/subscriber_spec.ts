/** What makes one subscriber different from another, as its author says it. */
import type { RawMessage } from "../contract/message.ts";
import type { Topology } from "../contract/topology.ts";
import type { Logger } from "../process/log.ts";
import type { Effect } from "../store/store.ts";

/** What a handler is given besides the payload. */
export interface HandlerContext {
  /** 1 for the first try, 2 for the first retry. */
  readonly attempt: number;
  /**
   * Aborts when the result is of no use any more: its time is over, the link is lost, or the
   * subscriber stops.
   */
  readonly signal: AbortSignal;
  /** Its records name the event and the attempt. */
  readonly log: Logger;
}

/** A message that was understood. */
export interface Incoming<T> {
  /** By which a second delivery of the same thing is recognised. */
  readonly id: string;
  /** What is handled. */
  readonly payload: T;
}

/**
 * All that the loop knows of a subscriber: what it consumes, how it reads and handles that, and
 * where a failure leads.
 */
export interface SubscriberSpec<T> {
  /** For logs and the management UI. */
  readonly name: string;
  /** What it consumes. */
  readonly queue: string;
  /** Declared on every new connection, before consuming. */
  readonly topology: Topology;
  /** What a failure leads to. */
  readonly failure: FailureRoute;
  /** How long one call of {@link handle} may take. @default {@link DEFAULT_HANDLER_TIMEOUT_MS} */
  readonly handlerTimeoutMs?: number;
  /**
   * What is in `message`.
   *
   * @throws {InvalidMessageError} for a message that can never be handled.
   */
  decode(message: RawMessage): Incoming<T>;
  /**
   * Returns what shall be true, for the loop to commit. Called again for the same payload after a
   * failure, and after a death between its return and the commit: whatever it does besides returning
   * is done at least once, not exactly once.
   *
   * What it returns after `handlerTimeoutMs` is thrown away: that counts as a failure, and the next
   * attempt may begin while a handler that ignores its signal still works.
   *
   * @throws {PermanentError} when trying again is useless; anything else is tried again.
   */
  handle(payload: T, context: HandlerContext): Promise<Effect> | Effect;
}

/**
 * How long a handler may take by default, in milliseconds. n.b. a message that came back from a dead
 * consumer is handled alone: while its handler hangs, nothing else is.
 */
export const DEFAULT_HANDLER_TIMEOUT_MS = 60_000;

/** Where a delivery goes that cannot be handled. */
export type FailureRoute =
  /** Retry queues with these delays, then the dead-letter exchange. */
  | { readonly kind: "retry"; readonly delaysMs: readonly number[] }
  /** Nowhere: this is the last place. It is tried again where it is, until it succeeds. */
  | { readonly kind: "stay" };
