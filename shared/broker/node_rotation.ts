/** The nodes of a broker, and which one is next. */
import type { Options } from "amqplib";
import { redactUrl } from "../process/config.ts";

/** The node to connect to, and the ones to try after it. */
export class NodeRotation {
  readonly #nodes: readonly Options.Connect[];
  readonly #urls: readonly string[];
  #index: number;

  constructor(urls: readonly string[], heartbeatS: number) {
    this.#urls = urls;
    this.#nodes = urls.map((url) => parseNode(url, heartbeatS));
    // Clients of a cluster start at different nodes, so that the first one does not carry them all.
    this.#index = Math.floor(Math.random() * urls.length);
  }

  /** The node to connect to now. */
  get current(): Options.Connect {
    return this.#nodes[this.#index]!;
  }

  /** The next attempt goes to the next node. */
  moveOn(): void {
    this.#index = (this.#index + 1) % this.#nodes.length;
  }

  /** The current URL, fit to be shown. */
  get description(): string {
    return redactUrl(this.#urls[this.#index]!);
  }
}

/** The node at an `amqp:` or `amqps:` URL, as amqplib takes it. `heartbeat` is in seconds. */
export function parseNode(text: string, heartbeat: number): Options.Connect {
  const url = new URL(text);
  return {
    protocol: url.protocol.replace(":", ""),
    hostname: url.hostname.replace(/^\[|\]$/g, ""),
    port: Number(url.port) || (url.protocol === "amqps:" ? 5671 : 5672),
    username: decodeURIComponent(url.username) || "guest",
    password: decodeURIComponent(url.password) || "guest",
    vhost: url.pathname.slice(1) || "%2F",
    heartbeat,
  };
}
