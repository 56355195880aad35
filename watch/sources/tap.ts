/**
 * Sees each event pass, as one more subscriber: a queue of its own, bound to the exchanges of the events.
 * Nothing is taken from anybody else's, and nobody waits for it.
 */
import type { ConsumeMessage } from "amqplib";
import { type BrokerConnection, openConnection } from "@ecomarket/shared/broker/connection";
import type { Link, LinkUser } from "@ecomarket/shared/broker/link";
import { EVENT_EXCHANGES, watchQueue } from "@ecomarket/shared/contract/topology";
import type { Logger } from "@ecomarket/shared/process/log";

/** Messages in our hands at once: what is not noted yet stays on the broker. */
const PREFETCH = 5_000;
/** Messages are noted together, which is a hundred times cheaper. */
const GATHER_MS = 50;
/**
 * Messages that may wait for us. n.b. the oldest are dropped then: were the page ever slower than the
 * events, the broker must not fill up for it.
 */
const MAX_WAITING = 100_000;

/** Who is told of what passes. */
export interface TapOptions {
  readonly urls: readonly string[];
  readonly log: Logger;
  /** Is called with what has come since the last call. n.b. what it throws ends the link. */
  readonly onMessages: (messages: readonly ConsumeMessage[]) => void;
}

/** Opens the tap. It comes back by itself after a lost link. */
export async function openTap(options: TapOptions): Promise<BrokerConnection> {
  return await openConnection({
    urls: options.urls,
    role: "watch",
    log: options.log,
    setup: (link) => tap(link, options),
  });
}

async function tap(link: Link, { onMessages }: TapOptions): Promise<LinkUser> {
  const channel = await link.model.createChannel();
  let isOpen = true;
  channel.on("error", (error: Error) => link.destroy(error));
  channel.on("close", () => isOpen = false);
  const queue = watchQueue(crypto.randomUUID());
  await channel.assertQueue(queue, {
    exclusive: true,
    durable: false,
    autoDelete: true,
    arguments: { "x-max-length": MAX_WAITING },
  });
  for (const exchange of EVENT_EXCHANGES) await channel.bindQueue(queue, exchange, "");
  await channel.prefetch(PREFETCH);

  let gathered: ConsumeMessage[] = [];
  let timer: ReturnType<typeof setTimeout> | undefined;
  const note = () => {
    timer = undefined;
    const messages = gathered;
    gathered = [];
    if (!isOpen) return;
    try {
      onMessages(messages);
      channel.ack(messages.at(-1)!, true);
    } catch (error) {
      link.destroy(error as Error);
    }
  };
  link.signal.addEventListener("abort", () => clearTimeout(timer));
  await channel.consume(queue, (message) => {
    if (!message) return link.destroy(new Error("The broker has ended our consumer"));
    gathered.push(message);
    timer ??= setTimeout(note, GATHER_MS);
  });
  return { isAlive: () => isOpen };
}
