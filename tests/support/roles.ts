/** The real roles, as processes in their sandboxes, on a test's own broker and folder. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { RobustPublisher } from "@ecomarket/publisher/levels/robust_publisher";
import type { UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import type { SubscriberName } from "@ecomarket/shared/contract/topology";
import {
  CONSUMER_NAMES,
  type ConsumerName,
  CONSUMERS,
  type RoleProcessOptions,
  type RoleScript,
  roleSpec,
} from "@ecomarket/testbed/processes/roles";
import { SandboxedProcess } from "@ecomarket/testbed/processes/sandboxed_process";
import { deadLettersByEvent, effectsByEvent } from "@ecomarket/testbed/stores/effects";
import { readStore } from "@ecomarket/testbed/stores/read_store";
import type { Bench } from "./bench.ts";

/**
 * Starts `consumer` on `bench`, as its own user and with its fast retries, and waits until it consumes.
 */
export async function startConsumer(
  bench: Bench,
  consumer: RoleScript,
  options: Partial<RoleProcessOptions> = {},
): Promise<SandboxedProcess> {
  return await SandboxedProcess.startReady(roleSpec(consumer, {
    amqpUrls: options.amqpUrls ?? [await bench.urlOf(consumer.name)],
    dataDir: bench.directory,
    ...options,
    env: { RETRY_DELAYS_MS: "50,100,150", ...options.env },
  }));
}

/** Starts the workshop's four consumers. They stop with `bench`. */
export async function startAllConsumers(
  bench: Bench,
): Promise<Record<ConsumerName, SandboxedProcess>> {
  const started = await Promise.all(CONSUMER_NAMES.map(async (name) => {
    const process = await startConsumer(bench, CONSUMERS[name]);
    bench.cleanup.use(process);
    return [name, process] as const;
  }));
  return Object.fromEntries(started) as Record<ConsumerName, SandboxedProcess>;
}

/** Publishes `events` and demands that each is confirmed. */
export async function publishAll(bench: Bench, events: readonly UsuarioCreado[]): Promise<void> {
  const urls = [await bench.urlOf("publisher")];
  await using publisher = await RobustPublisher.connect({ urls, log: bench.log });
  const outcomes = await Promise.all(events.map((event) => publisher.publish(event)));
  assert.deepEqual(new Set(outcomes.map(({ status }) => status)), new Set(["confirmed"]));
}

/** Demands that each of `events` had its effect on `subscriber` exactly once, and nothing else had. */
export function assertEffects(
  bench: Bench,
  subscriber: SubscriberName,
  events: readonly Pick<UsuarioCreado, "event_id">[],
): void {
  const found = effectsByEvent(subscriber, (name) => join(bench.directory, name));
  assert.deepEqual(
    Object.fromEntries([...found].sort()),
    Object.fromEntries(events.map(({ event_id }) => [event_id, 1] as const).sort()),
    subscriber,
  );
}

/** The archived dead letters of `subscriber`: how often each event's. */
export function deadLetters(bench: Bench, subscriber: SubscriberName): ReadonlyMap<string, number> {
  return deadLettersByEvent(subscriber, (name) => join(bench.directory, name));
}

/** The event ids in `table` of the store in `folder`, in order. */
export function eventIds(bench: Bench, folder: string, table: string): string[] {
  const sql = `SELECT event_id FROM ${table} ORDER BY 1`;
  const rows = readStore(join(bench.directory, folder), (db) => db.prepare(sql).all()) ?? [];
  return rows.map((row) => String(row.event_id));
}
