/** The way back: a confirm channel for as long as one replay takes. */
import type { ChannelModel } from "amqplib";
import { messageOf, TopologyMissingError } from "@ecomarket/shared/base/errors";
import type { ConfirmResult, Outgoing } from "@ecomarket/shared/broker/confirmed_channel";
import { connectOnce } from "@ecomarket/shared/broker/connection";
import { LiveLink } from "@ecomarket/shared/broker/link";
import { PublishChannel } from "@ecomarket/shared/broker/publish_channel";
import { requireExchange } from "@ecomarket/shared/broker/require_exchange";
import { retryExchange } from "@ecomarket/shared/contract/topology";
import { roleLogger } from "@ecomarket/shared/process/log";
import { ArchiveError } from "../archive/archive.ts";

/** n.b. a name on the broker is a short string of AMQP. */
const MAX_NAME_BYTES = 255;

/** Sends on one connection, which is not mended: what it leaves in doubt is resumed on another one. */
export class ReplayChannel implements AsyncDisposable {
  readonly #link: LiveLink;
  readonly #channel: PublishChannel;

  private constructor(link: LiveLink, channel: PublishChannel) {
    this.#link = link;
    this.#channel = channel;
  }

  /**
   * @throws {AccessRefusedError} when a broker refuses the credentials or the virtual host.
   * @throws {BrokerUnreachableError} when none answers.
   */
  static async open(urls: readonly string[]): Promise<ReplayChannel> {
    const link = new LiveLink(await connectOnce(urls, "dead-letters"));
    const log = roleLogger("dead-letters");
    return new ReplayChannel(link, await PublishChannel.open(link, { log }));
  }

  /** Publishes `outgoing`, mandatory. Never rejects. */
  send(outgoing: Outgoing): Promise<ConfirmResult> {
    return this.#channel.send(outgoing);
  }

  /**
   * Those of `queues` to which nothing can be sent, and why. n.b. publishing to an exchange that is not
   * there closes the channel, with all that is under way on it: so each is asked for first.
   */
  async blockedOrigins(queues: readonly string[]): Promise<ReadonlyMap<string, string>> {
    const blocked = new Map<string, string>();
    for (const queue of queues) {
      const exists = await exchangeExists(this.#link.model, retryExchange(queue));
      if (!exists) {
        blocked.set(
          queue,
          `the queue "${queue}" is not on this broker: its consumer declares it when it starts`,
        );
      }
    }
    return blocked;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#channel.close();
    await this.#link.close();
  }
}

async function exchangeExists(model: ChannelModel, exchange: string): Promise<boolean> {
  if (new TextEncoder().encode(exchange).length > MAX_NAME_BYTES) return false;
  try {
    await requireExchange(model, exchange);
    return true;
  } catch (error) {
    if (error instanceof TopologyMissingError) return false;
    throw new ArchiveError(
      `The broker does not say whether the exchange "${exchange}" exists: ${messageOf(error)}. ` +
        "Nothing was sent by this call",
      { cause: error },
    );
  }
}
