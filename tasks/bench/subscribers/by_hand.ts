/** Subscribers as people write them with plain amqplib: acks only, a transaction per event, and groups. */
import { type Channel, connect, type ConsumeMessage } from "amqplib";
import type { UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { type DrainOptions, Stopwatch } from "./drain.ts";
import { openByHand, writeByHand } from "./effect.ts";

/** Parses each body and acks it, one by one. */
export async function drainWithAcks(options: DrainOptions): Promise<number> {
  return await drain(options, (channel, stopwatch) => (message) => {
    read(message);
    channel.ack(message);
    stopwatch.settled();
  });
}

/** One transaction for each event, acked once it is committed. */
export async function drainWithTransactions(options: DrainOptions): Promise<number> {
  const db = openByHand(options.folder, options.queue);
  try {
    return await drain(options, (channel, stopwatch) => (message) => {
      const event = read(message);
      db.statement("BEGIN IMMEDIATE").run();
      writeByHand(db, event);
      db.statement("COMMIT").run();
      channel.ack(message);
      stopwatch.settled();
    });
  } finally {
    db.close();
  }
}

/**
 * What came while the event loop turned once is one transaction and one ack: the best that can be
 * written by hand. Nothing in it can be refused: one event that fails would take its group along.
 */
export async function drainWithGroups(options: DrainOptions): Promise<number> {
  const db = openByHand(options.folder, options.queue);
  try {
    return await drain(options, (channel, stopwatch) => {
      let group: ConsumeMessage[] = [];
      const flush = () => {
        db.statement("BEGIN IMMEDIATE").run();
        for (const message of group) writeByHand(db, read(message));
        db.statement("COMMIT").run();
        channel.ack(group.at(-1)!, true);
        stopwatch.settled(group.length);
        group = [];
      };
      return (message) => {
        if (group.push(message) === 1) setTimeout(flush, 0);
      };
    });
  } finally {
    db.close();
  }
}

function read(message: ConsumeMessage): UsuarioCreado {
  return JSON.parse(message.content.toString("utf8"));
}

async function drain(
  { amqpUrl, queue, count, prefetch, signal }: DrainOptions,
  consumer: (channel: Channel, stopwatch: Stopwatch) => (message: ConsumeMessage) => void,
): Promise<number> {
  const connection = await connect(amqpUrl);
  const channel = await connection.createChannel();
  try {
    const stopwatch = new Stopwatch(count);
    const onMessage = consumer(channel, stopwatch);
    await channel.prefetch(prefetch);
    await channel.consume(queue, (message) => {
      if (message === null) return;
      stopwatch.arrived();
      onMessage(message);
    });
    return await stopwatch.rate(signal);
  } finally {
    await channel.close();
    await connection.close();
  }
}
