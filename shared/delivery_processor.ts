/** One delivery, from its bytes to its end: decoded, recognised, handled, committed, settled. */
import type { Channel, ConsumeMessage } from "amqplib";
import { aborted } from "./abort.ts";
import { tryAgain } from "./backoff.ts";
import { messageOf, StoreUnavailableError } from "./errors.ts";
import { retriesSoFar } from "./headers.ts";
import type { Logger } from "./log.ts";
import type { Outlet } from "./outlet.ts";
import { dispositionOf } from "./retry_policy.ts";
import { Settlement } from "./settlement.ts";
import type { Effect, Store } from "./store.ts";
import type { Topology } from "./topology.ts";

/** What a handler is given besides the payload. */
export interface HandlerContext {
  /** 1 for the first try, 2 for the first retry. */
  readonly attempt: number;
  /** Aborts when the result can no longer be settled: the link is lost, or the subscriber stops. */
  readonly signal: AbortSignal;
  readonly log: Logger;
}

/** A message that was understood. */
export interface Incoming<T> {
  /** By which a second delivery of the same thing is recognised. */
  readonly id: string;
  readonly payload: T;
}

/** What makes one subscriber different from another. */
export interface SubscriberSpec<T> {
  /** For logs and the management UI. */
  readonly name: string;
  readonly queue: string;
  /** Declared on every new connection, before consuming. */
  readonly topology: Topology;
  /** What a failure leads to. */
  readonly failure: FailureRoute;
  /** @throws {InvalidMessageError} for a message that can never be handled. */
  decode(message: ConsumeMessage): Incoming<T>;
  /**
   * Returns what shall be true, for the loop to commit. Called again for the same payload after a
   * failure, and after a death between its return and the commit: whatever it does besides returning
   * is done at least once, not exactly once.
   *
   * @throws {PermanentError} when trying again is useless; anything else is tried again.
   */
  handle(payload: T, context: HandlerContext): Promise<Effect> | Effect;
}

/** Where a delivery goes that cannot be handled. */
export type FailureRoute =
  /** Retry queues with these delays, then the dead-letter exchange. */
  | { readonly kind: "retry"; readonly delaysMs: readonly number[] }
  /** Nowhere: this is the last place. It is tried again where it is, until it succeeds. */
  | { readonly kind: "hold" };

/** The link on which a delivery came, and on which alone it can be settled. */
export interface Session {
  /** Where it came from. */
  readonly channel: Pick<Channel, "ack">;
  /** Where it leaves by when it goes on elsewhere. */
  readonly outlet: Outlet;
  /** Aborts when the session has ended. */
  readonly signal: AbortSignal;
  giveUp(reason: Error): void;
}

/** See the file's first line. */
export class DeliveryProcessor<T> {
  readonly #spec: SubscriberSpec<T>;
  readonly #store: Store;
  readonly #log: Logger;
  readonly #settlement: Settlement;
  /** The ids in the works, so that two copies of one message are handled one after the other. */
  readonly #busy = new Map<string, Promise<void>>();

  constructor(spec: SubscriberSpec<T>, store: Store, log: Logger) {
    this.#spec = spec;
    this.#store = store;
    this.#log = log;
    this.#settlement = new Settlement(spec.queue, log);
  }

  /**
   * Brings one delivery to its end. Never rejects. A delivery whose session ends on the way is not
   * settled: the broker hands it out again, and the inbox knows whether it was done.
   *
   * | what happens                              | what is done                             |
   * | ----------------------------------------- | ---------------------------------------- |
   * | the effect is committed                   | ack                                      |
   * | it was committed before                   | ack, counted as a duplicate              |
   * | `decode` or `handle` fails                | see `dispositionOf`                      |
   * | the store is unavailable                  | held: tried again where it is            |
   */
  async process(message: ConsumeMessage, session: Session): Promise<void> {
    try {
      await this.#process(message, session);
    } catch (error) {
      if (session.signal.aborted) {
        this.#log.debug("Left unsettled: {reason}", { reason: messageOf(session.signal.reason) });
        return;
      }
      this.#log.error("Cannot settle a delivery: {reason}", { reason: messageOf(error) });
      session.giveUp(error instanceof Error ? error : new Error(messageOf(error)));
    }
  }

  async #process(message: ConsumeMessage, session: Session): Promise<void> {
    if (this.#spec.failure.kind === "hold" && this.#settlement.isNearDeliveryLimit(message)) {
      return await this.#settlement.sendRoundAgain(message, session);
    }
    let incoming: Incoming<T>;
    try {
      // deno-lint-ignore require-await -- held() waits for what it is given
      incoming = await this.#held(session, async () => this.#spec.decode(message));
    } catch (error) {
      return await this.#fail(message, session, error);
    }
    await this.#oneAtATime(incoming.id, session, () => this.#handle(incoming, message, session));
  }

  async #handle(incoming: Incoming<T>, message: ConsumeMessage, session: Session): Promise<void> {
    const { id, payload } = incoming;
    const attempt = retriesSoFar(message.properties.headers) + 1;
    const context: HandlerContext = {
      attempt,
      signal: session.signal,
      log: this.#log.with({ event_id: id, attempt }),
    };
    if (await this.#held(session, () => this.#store.has(id))) {
      return this.#duplicate(id, message, session);
    }
    let effect: Effect;
    let result: "committed" | "duplicate";
    try {
      effect = await this.#held(session, async () => await this.#spec.handle(payload, context));
      // n.b. also when the session has ended meanwhile: what the handler did is done, and the inbox
      // must know it before the message comes again.
      result = await this.#held(session, () => this.#store.commit(id, effect));
    } catch (error) {
      return await this.#fail(message, session, error);
    }
    if (result === "duplicate") return this.#duplicate(id, message, session);
    this.#settlement.ack(message, session);
    const { redelivered } = message.fields;
    context.log.debug("Handled {event_id}", { outcome: "handled", redelivered });
  }

  #duplicate(id: string, message: ConsumeMessage, session: Session): void {
    this.#settlement.ack(message, session);
    const { redelivered } = message.fields;
    this.#log.info("Already done: {event_id}", { event_id: id, outcome: "duplicate", redelivered });
  }

  async #fail(message: ConsumeMessage, session: Session, error: unknown): Promise<void> {
    const { failure } = this.#spec;
    // On the route `hold` only the end of the session gets here: everything else was held.
    if (failure.kind === "hold" || session.signal.aborted) throw error;
    const retries = retriesSoFar(message.properties.headers);
    await this.#settlement.fail(message, session, dispositionOf(error, retries, failure.delaysMs));
  }

  /**
   * `action`, tried again while the store is unavailable, which is no fault of the message; and on
   * the route `hold` whatever fails, for there is nowhere else to go.
   */
  #held<R>(session: Session, action: () => Promise<R>): Promise<R> {
    return tryAgain(action, {
      isWorthIt: (error) =>
        error instanceof StoreUnavailableError || this.#spec.failure.kind === "hold",
      onFailure: (error, delayMs) =>
        this.#log.warning("{reason}. Trying again in {delayMs} ms", {
          reason: messageOf(error),
          delayMs,
        }),
      signal: session.signal,
    });
  }

  async #oneAtATime(id: string, session: Session, work: () => Promise<void>): Promise<void> {
    while (this.#busy.has(id)) {
      await Promise.race([this.#busy.get(id), aborted(session.signal)]);
      session.signal.throwIfAborted();
    }
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#busy.set(id, promise);
    try {
      await work();
    } finally {
      this.#busy.delete(id);
      resolve();
    }
  }
}
