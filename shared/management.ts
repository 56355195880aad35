/** The broker's management HTTP API, for what AMQP cannot tell: arguments and bindings that stand. */
import { Buffer } from "node:buffer";
import { z } from "zod";
import { BrokerUnreachableError, messageOf } from "./errors.ts";
import { redactUrl } from "./config.ts";

const REQUEST_TIMEOUT_MS = 5_000;

/** A client of the management API at `url`, such as `http://user:password@localhost:15672`. */
export class ManagementClient {
  readonly #base: string;
  readonly #authorization: string;

  constructor(readonly url: string) {
    const { origin, username, password } = new URL(url);
    this.#base = `${origin}/api`;
    const credentials = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
    this.#authorization = `Basic ${Buffer.from(credentials, "utf8").toString("base64")}`;
  }

  /**
   * The answer to `GET /api/<path>`, as `schema` describes it; a path that is not there is an error.
   *
   * @throws {BrokerUnreachableError} when the API does not answer, or not as expected.
   */
  async get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const response = await this.#request("GET", path);
    return schema.parse(await response.json());
  }

  /** `PUT /api/<path>` with a JSON body. */
  async put(path: string, body: unknown = {}): Promise<void> {
    const response = await this.#request("PUT", path, JSON.stringify(body));
    await response.body?.cancel();
  }

  /** `DELETE /api/<path>`. */
  async delete(path: string): Promise<void> {
    const response = await this.#request("DELETE", path);
    await response.body?.cancel();
  }

  async #request(method: string, path: string, body?: string): Promise<Response> {
    let response: Response;
    try {
      response = await fetch(`${this.#base}/${path}`, {
        method,
        headers: { authorization: this.#authorization, "content-type": "application/json" },
        ...(body === undefined ? {} : { body }),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
    } catch (error) {
      throw this.#unreachable(messageOf(error), error);
    }
    if (response.ok) return response;
    await response.body?.cancel();
    throw this.#unreachable(`${method} /api/${path} answered ${response.status}`);
  }

  #unreachable(reason: string, cause?: unknown): BrokerUnreachableError {
    return new BrokerUnreachableError(
      `The management API at ${redactUrl(this.url)} does not answer as it should (${reason}). ` +
        "Set MANAGEMENT_URL, or enable it with: rabbitmq-plugins enable rabbitmq_management",
      { cause },
    );
  }
}

/** The virtual host of an AMQP URL, `/` where it names none. */
export function vhostOf(amqpUrl: string): string {
  return decodeURIComponent(new URL(amqpUrl).pathname.slice(1)) || "/";
}

const argumentsSchema = z.record(z.string(), z.unknown());

/** A queue as `GET /api/queues/{vhost}` lists it. */
export const queuesSchema = z.array(
  z.object({ name: z.string(), durable: z.boolean(), arguments: argumentsSchema }),
);
/** An exchange as `GET /api/exchanges/{vhost}` lists it. */
export const exchangesSchema = z.array(
  z.object({
    name: z.string(),
    type: z.string(),
    durable: z.boolean(),
    arguments: argumentsSchema,
  }),
);
/** A binding as `GET /api/bindings/{vhost}` lists it. */
export const bindingsSchema = z.array(
  z.object({
    source: z.string(),
    destination: z.string(),
    destination_type: z.string(),
    routing_key: z.string(),
  }),
);

/** What stands in one virtual host. */
export interface StandingTopology {
  readonly exchanges: z.infer<typeof exchangesSchema>;
  readonly queues: z.infer<typeof queuesSchema>;
  readonly bindings: z.infer<typeof bindingsSchema>;
}

/** Reads what stands in `vhost`, changing nothing. */
export async function readTopology(
  client: ManagementClient,
  vhost: string,
): Promise<StandingTopology> {
  const path = encodeURIComponent(vhost);
  return {
    exchanges: await client.get(`exchanges/${path}`, exchangesSchema),
    queues: await client.get(`queues/${path}`, queuesSchema),
    bindings: await client.get(`bindings/${path}`, bindingsSchema),
  };
}
