/** What waits on the broker, who consumes it, and what stands there. It changes nothing. */
import { z } from "zod";
import { rejectOnAbort } from "@ecomarket/shared/base/abort";
import { type BrokerConnection, openConnection } from "@ecomarket/shared/broker/connection";
import type { Link } from "@ecomarket/shared/broker/link";
import {
  ManagementClient,
  readTopology,
  type StandingTopology,
  vhostOf,
} from "@ecomarket/shared/broker/management";
import { type QueueStatus, queueStatus } from "@ecomarket/shared/broker/queue_status";
import type { Logger } from "@ecomarket/shared/process/log";

/** One look. */
export interface BrokerLook {
  /** What is ready in each queue, and its consumers, now. */
  readonly queues: Readonly<Record<string, QueueStatus>>;
  /** What is in the hands of each queue's consumers. n.b. some seconds old. */
  readonly unacked: ReadonlyMap<string, number>;
  /** What waits in each queue and who consumes it, also those that nobody here has named; as old. */
  readonly further: ReadonlyMap<string, { readonly ready: number; readonly consumers: number }>;
  readonly standing: StandingTopology;
}

/** How long a look may take. */
const LOOK_TIMEOUT_MS = 5_000;

/** n.b. a queue that was declared a moment ago has no figures yet. */
const figuresSchema = z.array(
  z.object({
    name: z.string(),
    messages_ready: z.number().default(0),
    messages_unacknowledged: z.number().default(0),
    consumers: z.number().default(0),
  }),
);

/** Looks at one broker. Its connection comes back by itself. */
export class BrokerLooker implements AsyncDisposable {
  readonly #client: ManagementClient;
  readonly #vhost: string;
  #connection: BrokerConnection | undefined;
  #link: Link | undefined;

  private constructor(amqpUrl: string, managementUrl: string) {
    this.#client = new ManagementClient(managementUrl);
    this.#vhost = vhostOf(amqpUrl);
  }

  /** With the user of the monitor, who may ask for everything and change nothing. */
  static async open(
    urls: readonly string[],
    managementUrl: string,
    log: Logger,
  ): Promise<BrokerLooker> {
    const looker = new BrokerLooker(urls[0]!, managementUrl);
    looker.#connection = await openConnection({
      urls,
      role: "watch",
      log,
      // deno-lint-ignore require-await -- there is nothing to build on a link that only asks
      setup: async (link) => {
        looker.#link = link;
        return { isAlive: () => !link.signal.aborted };
      },
    });
    return looker;
  }

  /** Looks at `names` and at what stands; `undefined` while the broker does not answer. */
  async look(names: readonly string[]): Promise<BrokerLook | undefined> {
    const link = this.#link;
    if (!link || link.signal.aborted) return undefined;
    const limit = AbortSignal.any([link.signal, AbortSignal.timeout(LOOK_TIMEOUT_MS)]);
    try {
      return await Promise.race([this.#look(link, names), rejectOnAbort(limit)]);
    } catch {
      return undefined; // It went away meanwhile. What it is worth is told by whoever has no look.
    }
  }

  async #look(link: Link, names: readonly string[]): Promise<BrokerLook> {
    const path = `queues/${encodeURIComponent(this.#vhost)}`;
    const [queues, figures, standing] = await Promise.all([
      queueStatus(link.model, names),
      this.#client.get(path, figuresSchema),
      readTopology(this.#client, this.#vhost),
    ]);
    return {
      queues,
      unacked: new Map(figures.map((queue) => [queue.name, queue.messages_unacknowledged])),
      further: new Map(
        figures.map((
          { name, messages_ready, consumers },
        ) => [name, { ready: messages_ready, consumers }]),
      ),
      standing,
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#connection?.close();
  }
}
