/**
 * Clients of several users APIs that do not give up: each registers a user and then buys, one purchase
 * after the other, each request with its `Idempotency-Key` at whichever API, until it is answered.
 */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";

/** What one user did, as the ids of its events in the order of the answers. */
export interface Basket {
  readonly user: string;
  readonly purchases: readonly string[];
}

const CLIENTS = 6;
const PURCHASES = 4;
const REQUEST_TIMEOUT_MS = 15_000;

/** See the head of this file. Disposing of it ends the clients at once. */
export class Shoppers implements AsyncDisposable {
  readonly #urls: readonly string[];
  readonly #http = Deno.createHttpClient({});
  readonly #run = crypto.randomUUID();
  readonly #clients: Promise<unknown>;
  #next = 0;
  #isFinishing = false;
  #isCut = false;

  /** What is done, user by user. */
  readonly baskets: Basket[] = [];
  /** Requests that were answered with 201. */
  answers = 0;
  /** Requests that got no answer, or 503, and were repeated. */
  repeated = 0;

  private constructor(urls: readonly string[]) {
    this.#urls = urls;
    this.#clients = Promise.all(Array.from({ length: CLIENTS }, () => this.#client()));
    this.#clients.catch(() => {}); // Whoever waits for the end hears of it.
  }

  /** Starts the clients of the APIs at `urls`. */
  static start(urls: readonly string[]): Shoppers {
    return new Shoppers(urls);
  }

  /** Begins with no further user, and resolves once those that were begun have bought. */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    await this.#clients;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#isFinishing = this.#isCut = true;
    await this.#clients.catch(() => {});
    this.#http.close();
  }

  async #client(): Promise<void> {
    while (!this.#isFinishing) {
      const name = `${this.#run}-${this.#next++}`;
      const user = await this.#post("/users", name, {
        nombre: "María José Ñáñez",
        email: `mariajose-${name}@example.com`,
      });
      const purchases: string[] = [];
      for (let n = 0; n < PURCHASES; n++) {
        const purchase = await this.#post("/purchases", `${name}/${n}`, {
          user_id: user.user_id,
          total: n,
          currency: "MXN",
          items: [{ sku: "taza", quantity: 1 }],
        });
        purchases.push(purchase.event_id!);
      }
      this.baskets.push({ user: user.event_id!, purchases });
    }
  }

  async #post(path: string, key: string, body: unknown): Promise<Record<string, string>> {
    while (!this.#isCut) {
      const answer = await this.#ask(path, key, body);
      if (answer) return answer;
      this.repeated++;
      await delay(20);
    }
    throw new Error("The test is over");
  }

  /** One request to any of the APIs. Resolves with nothing when it has to be repeated. */
  async #ask(
    path: string,
    key: string,
    body: unknown,
  ): Promise<Record<string, string> | undefined> {
    const url = this.#urls[Math.floor(Math.random() * this.#urls.length)]!;
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url}${path}`, {
        client: this.#http,
        method: "POST",
        headers: { "Content-Type": "application/json", "Idempotency-Key": key },
        body: JSON.stringify(body),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      text = await response.text();
    } catch {
      return undefined; // Nobody listens, or the one who did is gone.
    }
    if (response.status === 503) return undefined;
    assert.equal(response.status, 201, text);
    this.answers++;
    return JSON.parse(text);
  }
}
