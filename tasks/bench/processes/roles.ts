/** The three subscribers and the publisher as real processes, of this source or of an older one. */
import { join } from "node:path";
import { fullTopology, type SubscriberName } from "@ecomarket/shared/contract/topology";
import { DEFAULT_RETRY_DELAYS_MS } from "@ecomarket/shared/process/config";
import { CONSUMERS, roleSpec } from "@ecomarket/testbed/processes/roles";
import { SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";
import { readStore } from "@ecomarket/testbed/stores/read_store";
import type { Place, World } from "../world.ts";
import { QuietProcess } from "./quiet_process.ts";

/** What every consumer's log says once it consumes. */
export const CONSUMES = "Waiting for messages";

/** Where its source is. @default this one */
export interface SourceOptions {
  readonly root?: string | undefined;
}

/** Where each subscriber's effects of a signup are, one row each. */
const EFFECT_TABLES = { email: "sent_emails", loyalty: "points_ledger", analytics: "signups" };

/**
 * How many effects of signups are in the store in `directory`. n.b. by the last row's number: to count a million rows
 * again and again would be measured as well.
 */
export function effectsIn(directory: string, name: SubscriberName): number {
  const sql = `SELECT max(rowid) AS n FROM ${EFFECT_TABLES[name]}`;
  return readStore(directory, (db) => Number(db.prepare(sql).get()?.n ?? 0)) ?? 0;
}

/** The queues of the workshop in a virtual host of their own. */
export function newWorkshop(world: World): Promise<Place> {
  return world.newPlace(fullTopology(DEFAULT_RETRY_DELAYS_MS));
}

/** Starts one of the workshop's subscribers, with its data below `dataDir`. */
export function startConsumer(
  name: SubscriberName,
  place: Place,
  dataDir: string,
  { root }: SourceOptions = {},
): QuietProcess {
  const spec = roleSpec(CONSUMERS[name], { amqpUrls: [place.amqpUrl], dataDir });
  // n.b. the older source ran its consumers without flags of V8.
  return new QuietProcess(root === undefined ? spec : { ...spec, root, v8Flags: [] });
}

/** Three subscribers at work, each with a store of its own. */
export class ThreeConsumers implements AsyncDisposable {
  readonly processes: readonly QuietProcess[];
  readonly #dataDir: string;
  readonly #place: Place;
  readonly #world: World;
  readonly #cleanup: AsyncDisposableStack;

  private constructor(
    world: World,
    place: Place,
    dataDir: string,
    processes: readonly QuietProcess[],
    cleanup: AsyncDisposableStack,
  ) {
    this.#world = world;
    this.#place = place;
    this.#dataDir = dataDir;
    this.processes = processes;
    this.#cleanup = cleanup;
  }

  /** Starts them; they consume when this resolves. */
  static async start(
    world: World,
    place: Place,
    options: SourceOptions = {},
  ): Promise<ThreeConsumers> {
    await using cleanup = new AsyncDisposableStack();
    const dataDir = await world.newFolder("data");
    const processes = SUBSCRIBERS.map((name) =>
      cleanup.use(startConsumer(name, place, dataDir, options))
    );
    await Promise.all(processes.map((process) => process.says(CONSUMES)));
    return new ThreeConsumers(world, place, dataDir, processes, cleanup.move());
  }

  /** Resolves once all three have committed the effects of `events` events. */
  async untilDone(events: number, intervalMs = 20): Promise<void> {
    const isDone = () =>
      SUBSCRIBERS.every((name) => effectsIn(join(this.#dataDir, name), name) >= events);
    await this.#place.until(isDone, this.#world.signal, intervalMs);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }
}

/** Runs `deno task publish` for `count` invented users, as a process of its own. */
export async function publishAsAProcess(
  world: World,
  place: Place,
  count: number,
  { root }: SourceOptions = {},
): Promise<void> {
  await using process = new QuietProcess({
    name: "publish",
    script: "publisher/publish/publish.ts",
    permissionSet: "publisher",
    folder: await world.newFolder("publisher"),
    args: ["--count", String(count)],
    env: { AMQP_URL: place.amqpUrl },
    ...(root === undefined ? {} : { root }),
  });
  await process.succeeds();
}
