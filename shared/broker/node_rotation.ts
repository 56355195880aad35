/** The nodes of a broker, and which one is next. */
import { redactUrl } from "../process/config.ts";

/** The node to connect to, and the ones to try after it. */
export class NodeRotation {
  readonly #urls: readonly string[];
  #index: number;

  constructor(urls: readonly string[]) {
    this.#urls = urls;
    // Clients of a cluster start at different nodes, so that the first one does not carry them all.
    this.#index = Math.floor(Math.random() * urls.length);
  }

  /** The URL of the node to connect to now. */
  get current(): string {
    return this.#urls[this.#index]!;
  }

  /** The next attempt goes to the next node. */
  moveOn(): void {
    this.#index = (this.#index + 1) % this.#urls.length;
  }

  /** The current URL, fit to be shown. */
  get description(): string {
    return redactUrl(this.current);
  }
}
