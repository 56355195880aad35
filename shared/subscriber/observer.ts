/** Who looks on while a subscriber works: told what happens, and never in its way. */
import type { FailureReason } from "../contract/headers.ts";

/** What a subscriber does now. */
export type SubscriberState =
  /** It has no link to the broker, or sets one up. */
  | { readonly state: "connecting" }
  | { readonly state: "consuming" }
  /** It consumes nothing, on purpose: what it needs is away. */
  | { readonly state: "paused"; readonly reason: string }
  | { readonly state: "stopping" };

/** What can be asked of the session on the present link. */
export interface SessionView {
  /** Deliveries that are not settled yet. */
  readonly inFlight: number;
  /**
   * Messages that wait in the queue, as the broker says; `undefined` where it has no such queue. On a link that has
   * ended this may never settle.
   */
  backlog(): Promise<number | undefined>;
}

/** Is told of each end of a delivery as it is logged, and of each change of state. Never throws. */
export interface SubscriberObserver {
  /** An effect was committed. */
  handled(): void;
  /** A delivery was recognised as done. */
  duplicate(): void;
  /** A copy waits in a retry queue. */
  retried(): void;
  /** A copy is on its way to the dead letters. */
  deadLettered(reason: FailureReason): void;
  /** A copy is in its own queue again, not counted as a failure. */
  putBack(): void;
  /** Makes `call`, which is one call of the handler, and returns what it returns. */
  calling<R>(call: () => Promise<R>): Promise<R>;
  /** A new link stands, and `session` works on it. */
  sessionStarted(session: SessionView): void;
  stateChanged(state: SubscriberState): void;
}

/** Nobody looks on: nothing is measured, and nothing costs. */
export const NOBODY: SubscriberObserver = {
  handled: () => {},
  duplicate: () => {},
  retried: () => {},
  deadLettered: () => {},
  putBack: () => {},
  calling: (call) => call(),
  sessionStarted: () => {},
  stateChanged: () => {},
};
