/** The requests that are not answered yet. */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";

/** Knows each request until its answer is handed over, so that a stop can wait for all of them. */
export class RequestsUnderWay {
  readonly #answers = new Set<ServerResponse<IncomingMessage>>();
  readonly #idle = Promise.withResolvers<void>();
  #isFinishing = false;

  /** Whether what comes from now on should be refused. */
  get isFinishing(): boolean {
    return this.#isFinishing;
  }

  /** Counts a request until its answer is handed to the system, or its connection is gone. */
  add(answer: ServerResponse<IncomingMessage>): void {
    this.#answers.add(answer);
    answer.once("close", () => {
      this.#answers.delete(answer);
      this.#tell();
    });
  }

  /**
   * Whether the next answer on `connection` belongs to a request that arrived whole, or is begun
   * already: whatever else were written there would be taken for that answer.
   */
  isOwedOn(connection: Duplex): boolean {
    return this.#answers.values().some(({ req, headersSent }) =>
      req.socket === connection && (req.complete || headersSent)
    );
  }

  /** Refuses what comes from now on. Resolves once everything else is answered. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    this.#tell();
    await this.#idle.promise;
  }

  #tell(): void {
    if (this.#isFinishing && this.#answers.size === 0) this.#idle.resolve();
  }
}
