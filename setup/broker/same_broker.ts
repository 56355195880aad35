/**
 * Stops the private broker and starts it again at the addresses that it had, for whoever has roles
 * running that know it by them. `broker stop` and `broker start` may give it other ports.
 */
import { BrokerSetupError } from "@ecomarket/shared/base/errors";
import { type BrokerOptions, brokerSettings } from "./broker_options.ts";
import { lockBroker } from "./broker_record.ts";
import { type PrivateBroker, privateBrokers, runningPrivateBroker } from "./private_broker.ts";

/** The private broker of one folder, as one program found it. */
export class SameBroker {
  readonly #broker: PrivateBroker;
  readonly #options: BrokerOptions;

  private constructor(broker: PrivateBroker, options: BrokerOptions) {
    this.#broker = broker;
    this.#options = options;
  }

  /** The one that runs now; `undefined` where none does. */
  static async find(options: BrokerOptions = {}): Promise<SameBroker | undefined> {
    const broker = await runningPrivateBroker(brokerSettings(options).directory);
    return broker && new SameBroker(broker, options);
  }

  /** Stops it, data kept. Nothing happens where it does not run. */
  async stop(): Promise<void> {
    using _lock = await this.#lock();
    await this.#broker.stop();
  }

  /**
   * Starts it with its data and its ports, and waits until it answers.
   *
   * @throws {BrokerSetupError} when it does not start, or another one of ours runs in its place.
   */
  async start(signal?: AbortSignal): Promise<void> {
    using _lock = await this.#lock();
    const { directory } = brokerSettings(this.#options);
    const running = await runningPrivateBroker(directory);
    if (running && running.amqpUrls.join() !== this.#broker.amqpUrls.join()) {
      throw new BrokerSetupError(
        "Cannot start the broker again: another one of ours runs in its place, at other ports. " +
          "Stop this command, and run it again",
      );
    }
    const found = (await privateBrokers(directory))
      .find(({ amqpUrls }) => amqpUrls.join() === this.#broker.amqpUrls.join());
    await (found ?? this.#broker).start({ signal });
  }

  async #lock(): Promise<Disposable> {
    const { directory, say } = brokerSettings(this.#options);
    return await lockBroker(directory, say);
  }
}
