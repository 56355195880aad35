/**
 * How a delivery leaves its queue. A message that goes on elsewhere is confirmed there first and
 * acked here then: dying in between doubles it, which the inbox mends; the other order would lose it.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { ConsumeMessage } from "amqplib";
import { backoffDelayMs } from "../base/backoff.ts";
import type { Outgoing } from "../broker/confirmed_channel.ts";
import { messageId } from "../contract/message.ts";
import {
  deliveryCount,
  failureHeaders,
  failureMessage,
  minimalOptions,
  republishOptions,
  X_FAILED_AT,
  X_FAILURE_ID,
  X_FAILURE_MESSAGE,
  X_FAILURE_REASON,
  X_ORIGIN_QUEUE,
  X_RETRIES,
} from "../contract/headers.ts";
import { DEAD_LETTER_EXCHANGE, retryExchange } from "../contract/topology.ts";
import type { Logger } from "../process/log.ts";
import { NOBODY, type SubscriberObserver } from "./observer.ts";
import type { FailureDisposition } from "./retry_policy.ts";
import type { Session } from "./session.ts";
import type { FailureRoute, SubscriberSpec } from "./subscriber_spec.ts";

/** Dead letters that came back this often are sent round again: past twice as often they are parked. */
const ROUND_AGAIN_AFTER = 10;

/** How many rejected messages are remembered: what is forgotten is handled alone when it comes again. */
const MAX_REJECTED = 10_000;

/**
 * Settles the deliveries of one subscriber: acked as done, or confirmed in another queue and acked
 * then. One whose session has ended is never acked: the broker hands it out again.
 */
export class Settlement {
  readonly #queue: string;
  readonly #isLastPlace: boolean;
  readonly #failure: FailureRoute;
  /** What was given back for its next attempt, and how often it has failed then: see {@link mustBeAlone}. */
  readonly #rejected = new Map<string, number>();
  readonly #log: Logger;
  readonly #observer: SubscriberObserver;

  constructor(
    spec: Pick<SubscriberSpec<unknown>, "queue" | "failure">,
    log: Logger,
    observer: SubscriberObserver = NOBODY,
  ) {
    this.#queue = spec.queue;
    this.#isLastPlace = spec.failure.kind === "stay";
    this.#failure = spec.failure;
    this.#log = log;
    this.#observer = observer;
  }

  /** Takes the message off the queue. Once the session has ended this does nothing: it comes again. */
  ack(message: ConsumeMessage, session: Session): void {
    if (session.signal.aborted) return;
    session.acks.ack(message);
  }

  /**
   * Sends a failed message to its retry queue or to the dead letters, then acks it. With native retry
   * it is rejected instead of sent to a retry queue: the broker counts that, and delays it. In a
   * partition it stays in hand, and this resolves when its next attempt is due.
   *
   * @param retries how often it was tried again before.
   */
  async fail(
    message: ConsumeMessage,
    session: Session,
    disposition: FailureDisposition,
    retries: number,
  ): Promise<void> {
    const isRetry = disposition.kind === "retry";
    const headers = {
      [X_RETRIES]: isRetry ? retries + 1 : retries,
      [X_ORIGIN_QUEUE]: this.#queue,
      [X_FAILURE_MESSAGE]: failureMessage(disposition.message),
      [X_FAILED_AT]: new Date().toISOString(),
      [X_FAILURE_ID]: crypto.randomUUID(),
      ...(isRetry ? {} : { [X_FAILURE_REASON]: disposition.reason }),
    };
    const route = isRetry
      ? { exchange: retryExchange(this.#queue), routingKey: String(disposition.delayMs) }
      : { exchange: DEAD_LETTER_EXCHANGE, routingKey: "" };
    const isKept = isRetry && this.#failure.kind === "ordered";
    if (isRetry && this.#failure.kind === "native") this.#reject(message, session, retries + 1);
    else if (!isKept) await this.#moveOn(message, session, route, headers);

    const record = {
      event_id: messageId(message),
      attempt: retries + 1,
      reason: disposition.message,
    };
    if (isRetry) {
      this.#observer.retried();
      const { delayMs } = disposition;
      this.#log.warning(
        "Attempt {attempt} of {event_id} failed ({reason}): again in {delayMs} ms",
        {
          ...record,
          delayMs,
          outcome: "retried",
        },
      );
      if (isKept) await delay(delayMs, undefined, { signal: session.signal });
    } else {
      this.#observer.deadLettered(disposition.reason);
      this.#log.error("Attempt {attempt} of {event_id} failed ({reason}): {why}, dead-lettered", {
        ...record,
        why: disposition.reason,
        outcome: "dead-lettered",
      });
    }
  }

  /** Whether the broker may soon park this dead letter for having been handed out too often. */
  isNearDeliveryLimit(message: ConsumeMessage): boolean {
    return deliveryCount(message.properties.headers) >= ROUND_AGAIN_AFTER;
  }

  /**
   * Publishes a message to its own queue once more, and acks it then: the copy waits behind the
   * others, and its deliveries are counted from 0. n.b. whatever else gives a message back counts as
   * a failure of it: a nack before 4.3, a reject and a closed channel on every version (tried). With
   * native retry the broker is 4.3 or later, and its count is all that knows of earlier attempts: a
   * nack keeps it. In a partition it goes back to the head, with the session: that is counted.
   */
  async putBack(message: ConsumeMessage, session: Session): Promise<void> {
    if (this.#failure.kind === "ordered") {
      // n.b. nothing else keeps its place: a copy would be behind the others, and after a nack or a
      // cancel the next event may be handed out before this one (tried on 3.10.8, 4.3.6).
      session.giveUp(new Error("An event waits at the head of its partition"));
      return this.#observer.putBack();
    }
    if (this.#failure.kind === "native") {
      this.giveBack(message, session);
      return this.#observer.putBack();
    }
    const route = this.#isLastPlace
      ? { exchange: DEAD_LETTER_EXCHANGE, routingKey: "" }
      : { exchange: retryExchange(this.#queue), routingKey: this.#queue };
    const headers = this.#isLastPlace ? failureHeaders(message.properties.headers) : {};
    await this.#moveOn(message, session, route, headers);
    this.#observer.putBack();
  }

  /** Gives a message of a queue with native retry back at once, uncounted. */
  giveBack(message: ConsumeMessage, session: Session): void {
    if (session.signal.aborted) return;
    session.acks.nack(message);
  }

  /**
   * Whether a consumer may have died of this message, so that nothing else shall be in hand with it.
   * n.b. of interest with native retry alone: there the broker delays what came back from a dead
   * consumer, and hands out new messages meanwhile. What this process rejected itself is no suspect.
   */
  mustBeAlone(message: ConsumeMessage): boolean {
    if (this.#failure.kind !== "native") return false;
    const failures = deliveryCount(message.properties.headers);
    if (failures === 0) return false;
    const id = messageId(message);
    const isOurs = this.#rejected.get(id) === failures;
    this.#rejected.delete(id);
    return !isOurs;
  }

  #reject(message: ConsumeMessage, session: Session, failures: number): void {
    if (session.signal.aborted) return;
    session.acks.reject(message);
    this.#rejected.set(messageId(message), failures);
    if (this.#rejected.size <= MAX_REJECTED) return;
    const [oldest] = this.#rejected.keys();
    this.#rejected.delete(oldest!);
  }

  /** Publishes until the broker has it for certain, then acks the original. */
  async #moveOn(
    message: ConsumeMessage,
    session: Session,
    route: Pick<Outgoing, "exchange" | "routingKey">,
    headers: Readonly<Record<string, string | number>>,
  ): Promise<void> {
    const { content, properties } = message;
    let options = republishOptions(properties, messageId(message), headers);
    for (let n = 1;; n++) {
      const result = await session.publishChannel.send({ ...route, content, options });
      switch (result.kind) {
        case "confirmed":
          return this.ack(message, session);
        case "returned":
          // Somebody deleted a queue of ours: a new session declares it again.
          throw new Error(result.reason);
        case "nacked":
          this.#log.warning("The broker did not take a message for {exchange}: trying again", {
            exchange: route.exchange,
          });
          await delay(backoffDelayMs(n), undefined, { signal: session.signal });
          continue;
        case "unsent":
          // Its own properties may be what cannot be written again, for instance for their size.
          if (!result.isUnwritable || n > 1) throw new Error(result.reason);
          options = minimalOptions(properties, messageId(message), headers);
          continue;
        case "ambiguous":
          throw new Error(result.reason);
      }
    }
  }
}
