/** What a subscriber declares on each new link: its own slice, and as far as it may, what that is joined to. */
import type { Channel } from "amqplib";
import { messageOf, TopologyMissingError } from "../base/errors.ts";
import { brokerVersion } from "../broker/broker_version.ts";
import type { Link } from "../broker/link.ts";
import { isMissing, missingExchange, requireExchange } from "../broker/require_exchange.ts";
import { requireNativeRetry } from "../contract/native_retry.ts";
import { declareLink, declareTopology, type Topology } from "../contract/topology.ts";
import type { Logger } from "../process/log.ts";
import type { SubscriberSpec } from "./subscriber_spec.ts";

/**
 * Declares a subscriber's topology. With every right it declares the shared exchanges and the dead
 * letters as well, so that a new subscriber needs nobody; as its own user it may not, and finds them
 * there or says what to run.
 */
export class SliceDeclaration {
  readonly #own: Topology;
  readonly #shared: Topology;
  readonly #log: Logger;
  /** Unknown until the broker has refused: then it is not asked again, for each refusal is in its log. */
  #mayDeclareShared = true;

  constructor(
    { topology, queue }: Pick<SubscriberSpec<unknown>, "topology" | "queue">,
    log: Logger,
  ) {
    const isOwn = (name: string) => name === queue || name.startsWith(`${queue}.`);
    this.#own = select(topology, isOwn);
    this.#shared = select(topology, (name) => !isOwn(name));
    this.#log = log;
  }

  /**
   * Declares on `channel`, which belongs to `link`. n.b. a refusal closes the channel on which it is
   * met, so what may be refused has one of its own.
   *
   * @throws {TopologyMissingError} when a shared exchange is missing that this user may not declare.
   * @throws {TopologyDriftError} when something stands with other arguments.
   * @throws {BrokerTooOldError} when its queue is to have native retry, and the broker knows none.
   */
  async declare(link: Link, channel: Channel): Promise<void> {
    requireNativeRetry(brokerVersion(link.model), this.#own.queues);
    if (this.#mayDeclareShared) this.#mayDeclareShared = await this.#declareShared(link);
    if (!this.#mayDeclareShared) await this.#requireTargets(link);
    await this.#declareOwn(channel);
  }

  /** @returns whether it may. */
  async #declareShared({ model }: Link): Promise<boolean> {
    const channel = await model.createChannel();
    channel.on("error", () => {}); // The declaration that caused it rejects with it.
    try {
      await declareTopology(channel, this.#shared);
      await channel.close();
      return true;
    } catch (error) {
      if ((error as { code?: unknown }).code !== 403) throw error;
      this.#log.debug("What is shared is another user's to declare: {reason}", {
        reason: messageOf(error),
      });
      return false;
    }
  }

  /** Where the broker's own dead letters go: a missing exchange is told by no declaration of a queue. */
  async #requireTargets({ model }: Link): Promise<void> {
    const targets = this.#own.queues.map(({ arguments: args }) => args["x-dead-letter-exchange"]);
    for (const { name } of this.#shared.exchanges) {
      if (targets.includes(name)) await requireExchange(model, name);
    }
  }

  async #declareOwn(channel: Channel): Promise<void> {
    const { exchanges, queues, bindings, links = [] } = this.#own;
    await declareTopology(channel, { exchanges, queues, bindings: [] });
    for (const binding of bindings) {
      try {
        await declareTopology(channel, { exchanges: [], queues: [], bindings: [binding] });
      } catch (error) {
        if (!isMissing(error)) throw error;
        throw new TopologyMissingError(missingExchange(binding.exchange), { cause: error });
      }
    }
    for (const link of links) {
      try {
        await declareLink(channel, link);
      } catch (error) {
        if (!isMissing(error)) throw error;
        throw new TopologyMissingError(missingExchange(link.from), { cause: error });
      }
    }
  }
}

/** What of `topology` stands under a name for which `isOurs` holds; a binding is where it leads. */
function select(topology: Topology, isOurs: (name: string) => boolean): Topology {
  return {
    exchanges: topology.exchanges.filter(({ name }) => isOurs(name)),
    queues: topology.queues.filter(({ name }) => isOurs(name)),
    bindings: topology.bindings.filter(({ queue }) => isOurs(queue)),
    links: topology.links?.filter(({ to }) => isOurs(to)) ?? [],
  };
}
