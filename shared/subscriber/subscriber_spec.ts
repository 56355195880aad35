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

/**
 * What a handler cannot work without, and that is elsewhere: a mail server, another service.
 *
 * It decides whose fault a failure is. When the handler throws anything but a `PermanentError`, the
 * loop asks {@link check}. If the dependency is there, the event failed: it is tried again a bounded
 * number of times, and kept as a dead letter then. If it is away, no event is at fault: the subscriber
 * stops consuming, puts back what it has, uncounted, and asks until the check succeeds. So a handler
 * need not tell one error from another.
 */
export interface Dependency {
  /** As it is told to a person, such as `the mail server at 127.0.0.1:2525`. No secret. */
  readonly name: string;
  /**
   * Resolves when it can be used; asked also before the first message. It is given 10 s, and then
   * counts as away: `signal` aborts. What only some events need is no part of it, or one of them
   * stops all.
   *
   * @throws the reason why it cannot be used, with no secret in its message.
   */
  check(signal: AbortSignal): Promise<void>;
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
  /** What it consumes. With partitions this is the name of its slice alone. */
  readonly queue: string;
  /** What it consumes in place of {@link queue}: each in order, see `partitions.ts`. */
  readonly partitions?: readonly string[] | undefined;
  /** Declared on every new connection, before consuming. */
  readonly topology: Topology;
  /** What a failure leads to. */
  readonly failure: FailureRoute;
  /** How long one call of {@link handle} may take. @default {@link DEFAULT_HANDLER_TIMEOUT_MS} */
  readonly handlerTimeoutMs?: number;
  /** What {@link handle} depends on. n.b. of use on the route `retry`: on `stay` nothing is a failure. */
  readonly dependency?: Dependency | undefined;
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
   * @throws {PermanentError} when trying again is useless; anything else is tried again, and is no
   *   failure of this event while the {@link dependency} is away.
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
  /** Back to its queue, which the broker delays by these; then the dead-letter exchange. See `NativeRetry`. */
  | { readonly kind: "native"; readonly delaysMs: readonly number[] }
  /** Where it is, in its partition, after these delays; then the dead-letter exchange. */
  | { readonly kind: "ordered"; readonly delaysMs: readonly number[] }
  /** Nowhere: this is the last place. It is tried again where it is, until it succeeds. */
  | { readonly kind: "stay" };
