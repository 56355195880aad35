/** One delivery, from its bytes to its end: decoded, recognised, handled, committed, settled. */
import type { ConsumeMessage } from "amqplib";
import { aborted } from "../base/abort.ts";
import { tryAgain } from "../base/backoff.ts";
import { messageOf, StoreUnavailableError } from "../base/errors.ts";
import type { Logger } from "../process/log.ts";
import type { DependencyGate } from "./dependency_gate.ts";
import { callHandler } from "./handler_call.ts";
import { NOBODY, type SubscriberObserver } from "./observer.ts";
import { dispositionOf, failuresSoFar, isVerdict } from "./retry_policy.ts";
import type { Session } from "./session.ts";
import { Settlement } from "./settlement.ts";
import type { CommitResult, StoreGate } from "./store_gate.ts";
import type { Incoming, SubscriberSpec } from "./subscriber_spec.ts";

/**
 * Brings every delivery of one subscriber to its end, and has no two of the same id in the works at
 * the same time.
 */
export class DeliveryProcessor<T> {
  readonly #spec: SubscriberSpec<T>;
  readonly #store: StoreGate;
  readonly #dependency: DependencyGate;
  readonly #log: Logger;
  readonly #settlement: Settlement;
  readonly #observer: SubscriberObserver;
  /**
   * The ids in the works, so that two copies of one message are handled one after the other, each with
   * what another copy waits for, if one does.
   */
  readonly #busy = new Map<string, PromiseWithResolvers<void> | undefined>();

  constructor(
    spec: SubscriberSpec<T>,
    store: StoreGate,
    dependency: DependencyGate,
    log: Logger,
    observer: SubscriberObserver = NOBODY,
  ) {
    this.#spec = spec;
    this.#store = store;
    this.#dependency = dependency;
    this.#log = log;
    this.#observer = observer;
    this.#settlement = new Settlement(spec, log, observer);
  }

  /** See {@link Settlement.mustBeAlone}. */
  mustBeAlone(message: ConsumeMessage): boolean {
    return this.#settlement.mustBeAlone(message);
  }

  /** See {@link Settlement.giveBack}. */
  giveBack(message: ConsumeMessage, session: Session): void {
    this.#settlement.giveBack(message, session);
  }

  /**
   * Brings one delivery to its end. Never rejects. A delivery whose session ends on the way is not
   * settled: the broker hands it out again, and the inbox knows whether it was done.
   *
   * | what happens                              | what is done                                  |
   * | ----------------------------------------- | --------------------------------------------- |
   * | the effect is committed                   | ack                                           |
   * | it was committed before                   | ack, counted as a duplicate                   |
   * | `decode` or `handle` fails                | see `dispositionOf`                           |
   * | the store is unavailable for too long     | back to its queue, not counted as a failure   |
   * | what `handle` depends on is away          | back to its queue, not counted as a failure   |
   */
  async process(message: ConsumeMessage, session: Session): Promise<void> {
    try {
      await this.#process(message, session).catch((error) => {
        if (!(error instanceof StoreUnavailableError) || session.signal.aborted) throw error;
        return this.#settlement.putBack(message, session);
      });
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
    if (this.#spec.failure.kind === "stay" && this.#settlement.isNearDeliveryLimit(message)) {
      return await this.#settlement.putBack(message, session);
    }
    let incoming: Incoming<T>;
    try {
      incoming = this.#spec.failure.kind === "stay"
        // deno-lint-ignore require-await -- insist() waits for what it is given
        ? await this.#insist(session, async () => this.#spec.decode(message))
        : this.#spec.decode(message);
    } catch (error) {
      // n.b. what is in hand for its retries is not decoded again: it is the same.
      const { failure } = this.#spec;
      const failures = failure.kind === "ordered"
        ? failure.delaysMs.length
        : failuresSoFar(failure, message.properties.headers);
      return void await this.#fail(message, session, error, failures);
    }
    await this.#oneAtATime(incoming.id, session, () => this.#handle(incoming, message, session));
  }

  async #handle(incoming: Incoming<T>, message: ConsumeMessage, session: Session): Promise<void> {
    const { id } = incoming;
    let attempt = failuresSoFar(this.#spec.failure, message.properties.headers) + 1;
    if (this.#store.isPending(id)) await this.#store.pending(id);
    if (!this.#store.isFresh) await this.#store.whenWritable();
    if (await this.#store.has(id)) return this.#duplicate(id, message, session);
    if (this.#dependency.isAway) return await this.#settlement.putBack(message, session);
    let result = await this.#attempt(incoming, message, session, attempt);
    while (result === "again") {
      await this.#store.whenWritable();
      result = await this.#attempt(incoming, message, session, ++attempt);
    }
    if (result === undefined) return;
    if (result === "duplicate") return this.#duplicate(id, message, session);
    this.#settlement.ack(message, session);
    this.#observer.handled();
    const { redelivered } = message.fields;
    this.#log.debug("Handled {event_id}", {
      event_id: id,
      attempt,
      outcome: "handled",
      redelivered,
    });
  }

  /** One attempt, and what its failure leads to: `again` asks for the next one. */
  async #attempt(
    { id, payload }: Incoming<T>,
    message: ConsumeMessage,
    session: Session,
    attempt: number,
  ): Promise<CommitResult | "again" | undefined> {
    return await this.#do(payload, id, session, attempt)
      .catch((error) => this.#fail(message, session, error, attempt - 1));
  }

  /** Handles and commits. n.b. the commit also where the session has ended meanwhile: see {@link StoreGate}. */
  async #do(
    payload: T,
    id: string,
    session: Session,
    attempt: number,
  ): Promise<CommitResult> {
    const options = { attempt, id, log: this.#log, signal: session.signal };
    const call = () => callHandler(this.#spec, payload, options);
    const effect = await this.#insist(session, () => this.#observer.calling(call));
    return await this.#insist(session, () => this.#store.commit(id, effect));
  }

  #duplicate(id: string, message: ConsumeMessage, session: Session): void {
    this.#settlement.ack(message, session);
    this.#observer.duplicate();
    const { redelivered } = message.fields;
    this.#log.info("Already done: {event_id}", { event_id: id, outcome: "duplicate", redelivered });
  }

  /** @returns `again` where the message is still in hand, and its next attempt is due. */
  async #fail(
    message: ConsumeMessage,
    session: Session,
    error: unknown,
    failures: number,
  ): Promise<"again" | undefined> {
    const { failure } = this.#spec;
    // A store that is away is no failure of the event. On the route `stay` nothing else gets here,
    // but the end of the session.
    if (
      failure.kind === "stay" || error instanceof StoreUnavailableError || session.signal.aborted
    ) {
      throw error;
    }
    const isAway = !isVerdict(error) && !await this.#dependency.isAvailable();
    const disposition = dispositionOf(error, failures, failure.delaysMs, isAway);
    if (disposition.kind === "putBack") {
      await this.#settlement.putBack(message, session);
      return undefined;
    }
    await this.#settlement.fail(message, session, disposition, failures);
    return failure.kind === "ordered" && disposition.kind === "retry" ? "again" : undefined;
  }

  /** `action`, on the route `stay` tried again whatever fails, for there is nowhere else to go. */
  #insist<R>(session: Session, action: () => Promise<R>): Promise<R> {
    if (this.#spec.failure.kind !== "stay") return action();
    return tryAgain(action, {
      isWorthIt: (error) => !(error instanceof StoreUnavailableError),
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
      const done = this.#busy.get(id) ?? Promise.withResolvers<void>();
      this.#busy.set(id, done);
      await Promise.race([done.promise, aborted(session.signal)]);
      session.signal.throwIfAborted();
    }
    this.#busy.set(id, undefined);
    try {
      await work();
    } finally {
      const waited = this.#busy.get(id);
      this.#busy.delete(id);
      waited?.resolve();
    }
  }
}
