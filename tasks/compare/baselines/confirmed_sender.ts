/** How the two intermediate steps publish: one confirmed message for every route they know. */
import { ConfirmedChannel } from "@ecomarket/shared/broker/confirmed_channel";
import { type BrokerConnection, openConnection } from "@ecomarket/shared/broker/connection";
import { encode } from "@ecomarket/shared/contract/catalogue";
import type { UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { amqpUrls } from "@ecomarket/shared/process/config";
import type { Logger } from "@ecomarket/shared/process/log";
import { NotPassedOnError, type Subscribers } from "./signup_app.ts";

/** Where one copy of the event goes. */
export interface Route {
  readonly exchange: string;
  readonly routingKey: string;
}

/** What a sender needs. */
export interface SenderOptions {
  readonly role: string;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly routes: readonly Route[];
}

/**
 * Passes an event on once every route has confirmed it. While the link is down, nothing is passed
 * on, and nothing waits.
 */
export class ConfirmedSender implements Subscribers {
  readonly #routes: readonly Route[];
  #connection!: BrokerConnection;
  #channel: ConfirmedChannel | undefined;

  private constructor(routes: readonly Route[]) {
    this.#routes = routes;
  }

  /** @throws {BrokerUnreachableError} when no broker answers in time. */
  static async connect({ role, log, signal, routes }: SenderOptions): Promise<ConfirmedSender> {
    const sender = new ConfirmedSender(routes);
    sender.#connection = await openConnection({
      urls: amqpUrls(),
      role,
      log,
      signal,
      setup: async (link) => {
        const channel = sender.#channel = await ConfirmedChannel.open(link);
        return { isAlive: () => channel.isOpen };
      },
      onDisconnect: () => {
        sender.#channel = undefined;
      },
    });
    return sender;
  }

  isReady(): boolean {
    return this.#channel?.ready ?? false;
  }

  /** @throws {NotPassedOnError} when a route is not confirmed. The others may be. */
  async passOn(event: UsuarioCreado): Promise<void> {
    const channel = this.#channel;
    if (!channel) throw new NotPassedOnError("there is no connection to the broker");
    const message = encode(event);
    const results = await Promise.all(
      this.#routes.map((route) => channel.send({ ...route, ...message })),
    );
    const failed = results.find(({ kind }) => kind !== "confirmed");
    if (failed) throw new NotPassedOnError("reason" in failed ? failed.reason : failed.kind);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#channel?.close();
    await this.#connection.close();
  }
}
