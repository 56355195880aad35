/** How many deliveries a subscriber has in hand at once: bounded by their number and by their bytes. */

import { MAX_BODY_BYTES } from "../contract/message.ts";

/**
 * Bytes of message bodies in hand, at most, unless the prefetch lets valid events alone be more. A
 * foreign message may have 16 MiB (RabbitMQ 4.0 and later) or 128 MiB (before).
 */
export const MAX_BYTES_IN_HAND = 32 * 1024 * 1024;

/**
 * The largest window that keeps both bounds, as far as is known. n.b. RabbitMQ does not implement
 * AMQP's own bound on bytes, `prefetch-size` (https://www.rabbitmq.com/docs/specification). So how
 * large a body may be is learnt from those that came, and never forgotten.
 */
export class Window {
  readonly #prefetch: number;
  readonly #maxBytes: number;
  #largest = 1;

  constructor(prefetch: number) {
    this.#prefetch = prefetch;
    this.#maxBytes = Math.max(MAX_BYTES_IN_HAND, prefetch * MAX_BODY_BYTES);
  }

  /** Deliveries at once, from 1 up. */
  get size(): number {
    return Math.min(this.#prefetch, Math.max(1, Math.floor(this.#maxBytes / this.#largest)));
  }

  /** Notes a body of `bytes`. */
  learn(bytes: number): void {
    this.#largest = Math.max(this.#largest, bytes);
  }

  /** Whether `bytes` in hand are more than a window of this {@link size} would have let come. */
  isExceededBy(bytes: number): boolean {
    return bytes > Math.max(this.#maxBytes, this.#largest);
  }
}
