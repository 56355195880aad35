/**
 * Clients of the users API that do not give up: each registers one user after the other, and repeats
 * a request with the same `Idempotency-Key` until it is answered, whatever becomes of the API,
 * and at another API where there are several.
 */
import { setTimeout as delay } from "node:timers/promises";
import { z } from "zod";
import { until } from "@ecomarket/shared/base/poll";

/** What a client was told of one user. */
export interface Answer {
  readonly userId: string;
  readonly eventId: string;
  /** Whether an earlier request of the same key had registered the user, unheard. */
  readonly isReplay: boolean;
}

const createdSchema = z.object({ user_id: z.string(), event_id: z.string() });

/** How hard the clients press. */
export interface ApiLoadOptions {
  /** Clients at once. @default 8 */
  readonly clients?: number;
  /** How long each client rests between two users. @default 10 */
  readonly pauseMs?: number;
}

/** How long the answers to what is under way may take. */
const PAUSE_TIMEOUT_MS = 60_000;
/** The wait before a request is repeated. */
const RETRY_DELAY_MS = 20;
/** An API that answers nothing for so long is asked again. */
const REQUEST_TIMEOUT_MS = 10_000;

/**
 * Registers users until it is told to finish, each until the API has answered, and keeps every
 * answer.
 */
export class ApiLoad implements AsyncDisposable {
  readonly #urls: readonly string[];
  readonly #pauseMs: number;
  readonly #http = Deno.createHttpClient({});
  readonly #run = crypto.randomUUID();
  readonly #answers: Answer[] = [];
  readonly #clients: Promise<unknown>;
  #next = 0;
  /** Users that are begun and not yet answered. */
  #underWay = 0;
  #isPaused = false;
  #isFinishing = false;
  #isCut = false;

  /** Requests that got no answer, or 503, and were repeated. */
  repeated = 0;

  private constructor(
    urls: readonly string[],
    { clients: count = 8, pauseMs = 10 }: ApiLoadOptions,
  ) {
    this.#urls = urls;
    this.#pauseMs = pauseMs;
    const clients = Array.from({ length: count }, () => this.#client());
    this.#clients = Promise.all(clients);
    this.#clients.catch(() => {}); // Whoever waits for the end hears of it.
  }

  /**
   * Starts the clients of the APIs at `urls`, such as `http://127.0.0.1:8000`: each request goes to one
   * of them, and to the next one when it has to be repeated.
   */
  static start(urls: readonly string[], options: ApiLoadOptions = {}): ApiLoad {
    return new ApiLoad(urls, options);
  }

  /** What was answered so far: each user once. */
  get answers(): readonly Answer[] {
    return this.#answers;
  }

  /** Begins no further user until {@link resume}. Resolves once every user that was begun is answered. */
  async pause(): Promise<void> {
    this.#isPaused = true;
    await until("the clients' rest", () => this.#underWay === 0, { timeoutMs: PAUSE_TIMEOUT_MS });
  }

  /** Goes on after {@link pause}. */
  resume(): void {
    this.#isPaused = false;
  }

  /**
   * Begins no further user, and resolves once every user that was begun is answered.
   *
   * @throws {Error} when the API ever answered something else than 201 or 503.
   */
  async finish(): Promise<void> {
    this.#isFinishing = true;
    await this.#clients;
  }

  /** Ends the clients at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isFinishing = this.#isCut = true;
    await this.#clients.catch(() => {});
    this.#http.close();
  }

  async #client(): Promise<void> {
    while (!this.#isFinishing) {
      if (!this.#isPaused) {
        this.#underWay++;
        await this.#register(this.#next++);
        this.#underWay--;
      }
      await delay(this.#pauseMs);
    }
  }

  async #register(n: number): Promise<void> {
    for (let attempt = 0; !this.#isCut; attempt++) {
      const answer = await this.#ask(n, this.#urls[(n + attempt) % this.#urls.length]!);
      if (answer) return void this.#answers.push(answer);
      this.repeated++;
      await delay(RETRY_DELAY_MS);
    }
  }

  /** One request. Resolves with nothing when it has to be repeated. */
  async #ask(n: number, url: string): Promise<Answer | undefined> {
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${url}/users`, {
        client: this.#http,
        method: "POST",
        headers: {
          "Content-Type": "application/json",
          "Idempotency-Key": `${this.#run}/${n}`,
        },
        body: JSON.stringify({
          nombre: `María José Ñáñez ${n}`,
          email: `mariajose-${this.#run}-${n}@example.com`,
        }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      text = await response.text();
    } catch {
      return undefined; // Nobody listens, or the one who did is gone.
    }
    if (response.status === 503) return undefined;
    if (response.status !== 201) throw new Error(`The API answered ${response.status}: ${text}`);
    const created = createdSchema.parse(JSON.parse(text));
    return {
      userId: created.user_id,
      eventId: created.event_id,
      isReplay: response.headers.get("Idempotency-Replayed") === "true",
    };
  }
}
