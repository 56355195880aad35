/**
 * Where a lesson takes place: a private broker, and for each of its two sides a virtual host and a
 * data folder. All that a lesson starts ends with the stage, whenever that is.
 */
import { join } from "node:path";
import { ManagementClient } from "@ecomarket/shared/broker/management";
import { createVhost } from "@ecomarket/testbed/broker/private_vhost";
import { startTestBroker, type TestBroker } from "@ecomarket/testbed/broker/test_broker";
import { Side } from "./side.ts";

/**
 * The broker of one lesson, and what runs on it. Disposing of it ends everything that the lesson
 * has started.
 */
export class Stage implements AsyncDisposable {
  readonly #broker: TestBroker;
  readonly #cleanup: AsyncDisposableStack;

  private constructor(
    broker: TestBroker,
    cleanup: AsyncDisposableStack,
    /** Tells the person who watches. */
    readonly say: (line: string) => void,
    /** Ends every wait. */
    readonly signal: AbortSignal,
  ) {
    this.#broker = broker;
    this.#cleanup = cleanup;
  }

  /** Starts the broker. */
  static async open(say: (line: string) => void, signal: AbortSignal): Promise<Stage> {
    await using cleanup = new AsyncDisposableStack();
    const broker = cleanup.use(await startTestBroker());
    signal.throwIfAborted();
    return new Stage(broker, cleanup.move(), say, signal);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#cleanup.disposeAsync();
  }

  /** Has `resource` disposed of with the stage, the last one first. */
  use<T extends AsyncDisposable>(resource: T): T {
    // n.b. a lesson that is interrupted goes on until its next wait: it may still start something.
    if (this.#cleanup.disposed) {
      void resource[Symbol.asyncDispose]();
      this.signal.throwIfAborted();
    }
    return this.#cleanup.use(resource);
  }

  /** A side without anything on it. */
  async side(name: "before" | "after"): Promise<Side> {
    const client = new ManagementClient(this.#broker.managementUrl);
    const vhost = await createVhost(client, [this.#broker.amqpUrl], name);
    // In the broker's own folder: they go together, however the lesson ends.
    const dataDir = join(this.#broker.node.spec.directory, "lesson", name);
    return new Side(this, vhost.amqpUrls[0]!, dataDir);
  }

  /** Stops the broker in order and starts it again. */
  async restartBroker(): Promise<void> {
    const restarting = this.#broker.restart();
    // Not ended half way: a node must not start behind the back of whoever cleans up.
    this.#cleanup.defer(() => restarting.catch(() => {}));
    await restarting;
  }
}
