/**
 * Moves messages from one queue to another. Each is confirmed there first and acked here then: ended
 * anywhere in between, it is in both places, never in none.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Channel, GetMessage } from "amqplib";
import { rejectOnAbort } from "@ecomarket/shared/base/abort";
import { EcoMarketError, messageOf, MigrationError } from "@ecomarket/shared/base/errors";
import { ConfirmedChannel, type Outgoing } from "@ecomarket/shared/broker/confirmed_channel";
import { closeInOrder, connectOnce } from "@ecomarket/shared/broker/connection";
import { LiveLink } from "@ecomarket/shared/broker/link";
import { messageId } from "@ecomarket/shared/contract/message";
import {
  failureHeaders,
  minimalOptions,
  republishOptions,
  retriesSoFar,
  X_RETRIES,
} from "@ecomarket/shared/contract/headers";

/** From where to where. */
export interface Route extends Pick<Outgoing, "exchange" | "routingKey"> {
  readonly from: string;
  /** Whether what the broker says in `x-death` has to be kept: it cannot be copied. */
  readonly areDeadLetters: boolean;
  /** Whether {@link from} dead-letters what passes its delivery limit. Else that is dropped. */
  readonly hasDeadLetterExchange: boolean;
  /** How long a message of {@link from} may be hidden from who looks for it: see `longestHiddenMs()`. @default 0 */
  readonly hiddenMs?: number;
}

/** How messages are moved. */
export interface MoveOptions {
  readonly urls: readonly string[];
  /** Ends it between two batches; nothing is lost. */
  readonly signal: AbortSignal;
}

/** How many messages are under way at once. */
const BATCH = 100;
/** How long a queue must have been empty: what was routed to it before it was unbound has come by then. */
const QUIET_MS = 1_000;
const LOOK_AGAIN_MS = 100;
/**
 * Links that may be lost in a row without a message being moved. n.b. a message that the client cannot
 * decode costs one each time, until its queue's delivery limit takes it away: to the dead letters, if
 * the queue has any, and no limit of ours is above 20.
 */
const MAX_LOSSES = 25;
/**
 * The same where the limit would drop it. n.b. from RabbitMQ 4.0 on a queue that was declared without
 * one has a limit of 20 (https://www.rabbitmq.com/docs/quorum-queues#poison-message-handling).
 */
const MAX_LOSSES_BEFORE_A_DROP = 5;

/**
 * Moves all messages of `route.from`, and resolves with how many, once the queue has been empty for a
 * second, and for as long as one of its messages may be hidden.
 *
 * @throws {MigrationError} when its first message cannot be moved, however often it is tried.
 * @throws {BrokerUnreachableError} when there is no broker any more.
 */
export async function moveMessages(route: Route, options: MoveOptions): Promise<number> {
  let moved = 0;
  let losses = 0;
  const maxLosses = route.hasDeadLetterExchange ? MAX_LOSSES : MAX_LOSSES_BEFORE_A_DROP;
  for (;;) {
    try {
      await moveOnOneLink(route, options, (count) => {
        moved += count;
        losses = 0;
      });
      return moved;
    } catch (error) {
      options.signal.throwIfAborted();
      if (error instanceof EcoMarketError) throw error;
      if (++losses > maxLosses) throw stuck(route, losses, error);
      await delay(LOOK_AGAIN_MS, undefined, options);
    }
  }
}

function stuck({ from }: Route, losses: number, cause: unknown): MigrationError {
  return new MigrationError(
    `Cannot move the messages of "${from}": ${losses} connections were lost at its first one ` +
      `(${
        messageOf(cause)
      }). Nothing is lost. Take that message out of "${from}" in the management ` +
      "UI (Get messages, Automatic ack), keep what it shows, then run: " +
      "deno task setup-queues --migrate",
    { cause },
  );
}

async function moveOnOneLink(
  route: Route,
  { urls, signal }: MoveOptions,
  onMoved: (count: number) => void,
): Promise<void> {
  const connection = await connectOnce(urls, "setup-queues");
  const link = new LiveLink(connection);
  const confirmed = await ConfirmedChannel.open(link);
  const { channel } = confirmed;
  // n.b. amqplib never answers a `get` whose message it cannot decode: the link's end does.
  const ended = rejectOnAbort(link.signal);
  ended.catch(() => {}); // It ends at last, when nobody waits for it any more.
  try {
    let emptySince: number | undefined;
    const quietMs = QUIET_MS + (route.hiddenMs ?? 0);
    while (emptySince === undefined || performance.now() - emptySince < quietMs) {
      signal.throwIfAborted();
      const batch = await Promise.race([take(channel, route.from), ended]);
      if (batch.length === 0) {
        emptySince ??= performance.now();
        await delay(LOOK_AGAIN_MS, undefined, { signal });
        continue;
      }
      emptySince = undefined;
      await Promise.all(batch.map((message) => pass(message, route, confirmed)));
      channel.ack(batch.at(-1)!, true);
      onMoved(batch.length);
    }
  } finally {
    await closeInOrder(channel, connection);
  }
}

/**
 * The next messages. One that came back before is taken alone: it may be what ended an earlier try,
 * and the broker counts that against all that were taken with it.
 */
async function take(channel: Channel, queue: string): Promise<GetMessage[]> {
  const batch: GetMessage[] = [];
  while (batch.length < BATCH) {
    const message = await channel.get(queue);
    if (!message) break;
    batch.push(message);
    if (message.fields.redelivered) break;
  }
  return batch;
}

async function pass(
  message: GetMessage,
  { exchange, routingKey, areDeadLetters }: Route,
  confirmed: ConfirmedChannel,
): Promise<void> {
  const { content, properties } = message;
  const id = messageId(message);
  const headers = areDeadLetters ? failureHeaders(properties.headers) : {};
  const own = republishOptions(properties, id, headers);
  let result = await confirmed.send({ exchange, routingKey, content, options: own });
  if (result.kind === "unsent" && result.isUnwritable) {
    // What amqplib reads it cannot always write: the body and our own headers it can.
    const kept = { [X_RETRIES]: retriesSoFar(properties.headers), ...headers };
    const options = minimalOptions(properties, id, kept);
    result = await confirmed.send({ exchange, routingKey, content, options });
  }
  if (result.kind !== "confirmed") throw new Error(result.reason);
}
