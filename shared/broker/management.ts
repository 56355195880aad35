/** The broker's management HTTP API, for what AMQP cannot tell: arguments and bindings that stand. */
import { Buffer } from "node:buffer";
import { z } from "zod";
import { tryAgain } from "../base/backoff.ts";
import { BrokerUnreachableError, messageOf } from "../base/errors.ts";
import { parseJson } from "../base/json.ts";
import { redactUrl } from "../process/config.ts";
import { isTls, readTlsFiles } from "../process/tls_files.ts";

const REQUEST_TIMEOUT_MS = 5_000;
/** How long an answer of 500 to a question is taken for one of a moment. */
const PATIENCE_MS = 1_000;

/** A list of five thousand connections or queues is shorter. */
const MAX_ANSWER_BYTES = 32 * 1024 * 1024;

/** What the API answered, whole. */
interface Answer {
  readonly text: string;
  readonly headers: Headers;
}

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
   * n.b. 3.10.8 answers 500 to a list of queues now and then, and well a moment later (seen): then it
   * is asked again.
   *
   * @throws {BrokerUnreachableError} when the API does not answer, or not as expected.
   */
  async get<T>(path: string, schema: z.ZodType<T>): Promise<T> {
    const lastTry = performance.now() + PATIENCE_MS;
    const { text } = await tryAgain(() => this.#request("GET", path), {
      isWorthIt: (error) => error instanceof ServerError && performance.now() < lastTry,
    });
    return this.#parse(path, text, schema);
  }

  #parse<T>(path: string, text: string, schema: z.ZodType<T>): T {
    try {
      return schema.parse(parseJson(text));
    } catch (error) {
      const [issue] = error instanceof z.ZodError ? error.issues : [];
      const problem = issue ? `${issue.path.join(".")} ${issue.message}` : messageOf(error);
      throw this.#unreachable(`GET /api/${path} answered what cannot be read: ${problem}`);
    }
  }

  /**
   * By how much the broker's clock is ahead of this process's, from the `Date` of an answer. n.b. that
   * header tells whole seconds (RFC 9110, 5.6.7): the time on the way and that second are `withinMs`.
   *
   * @returns `undefined` where the answer has no date.
   * @throws {BrokerUnreachableError} when the API does not answer, or not as expected.
   */
  async clockSkew(): Promise<ClockSkew | undefined> {
    const before = Date.now();
    const { headers } = await this.#request("GET", "overview");
    const after = Date.now();
    const told = Date.parse(headers.get("date") ?? "");
    if (Number.isNaN(told)) return undefined;
    // The broker's clock stood anywhere in the second that it told, at any moment of the round trip.
    return { aheadMs: told + 500 - (before + after) / 2, withinMs: 500 + (after - before) / 2 };
  }

  /** `PUT /api/<path>` with a JSON body. */
  async put(path: string, body: unknown = {}): Promise<void> {
    await this.#request("PUT", path, JSON.stringify(body));
  }

  /** `DELETE /api/<path>`. */
  async delete(path: string): Promise<void> {
    await this.#request("DELETE", path);
  }

  /** Certificates are read anew each time, as for AMQP. */
  async #request(method: string, path: string, body?: string): Promise<Answer> {
    using client = isTls(this.url) ? httpClient(this.url) : undefined;
    let response: Response;
    let text: string;
    try {
      response = await fetch(`${this.#base}/${path}`, {
        method,
        headers: { authorization: this.#authorization, "content-type": "application/json" },
        ...(body === undefined ? {} : { body }),
        ...(client ? { client } : {}),
        signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      });
      text = await limitedText(response);
    } catch (error) {
      const { cause } = error as { cause?: unknown };
      throw this.#unreachable(messageOf(isTls(this.url) && cause ? cause : error), error);
    }
    if (response.ok) return { text, headers: response.headers };
    const { status } = response;
    const kind = status === 500 ? ServerError : BrokerUnreachableError;
    throw this.#unreachable(`${method} /api/${path} answered ${status}`, undefined, kind);
  }

  #unreachable(reason: string, cause?: unknown, kind = BrokerUnreachableError): Error {
    return new kind(
      `The management API at ${redactUrl(this.url)} does not answer as it should (${reason}). ` +
        "Set MANAGEMENT_URL, or enable it with: rabbitmq-plugins enable rabbitmq_management",
      { cause },
    );
  }
}

/** What `response` says, of which no more is read than {@link MAX_ANSWER_BYTES}. */
async function limitedText(response: Response): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let length = 0;
  for await (const chunk of response.body ?? []) {
    length += chunk.length;
    if (length > MAX_ANSWER_BYTES) throw new Error(`its answer has over ${MAX_ANSWER_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** The API answered 500. */
class ServerError extends BrokerUnreachableError {}

/** How two clocks differ: by `aheadMs`, give or take `withinMs`. */
export interface ClockSkew {
  readonly aheadMs: number;
  readonly withinMs: number;
}

/** n.b. `caCerts` are trusted besides the CAs that Deno trusts, not in place of them. */
function httpClient(url: string): Deno.HttpClient {
  const { ca, cert, key } = readTlsFiles(url);
  const caCerts = ca === undefined ? [] : [ca];
  return Deno.createHttpClient(cert && key ? { caCerts, cert, key } : { caCerts });
}

/** The virtual host of an AMQP URL, `/` where it names none. */
export function vhostOf(amqpUrl: string): string {
  return decodeURIComponent(new URL(amqpUrl).pathname.slice(1)) || "/";
}

const argumentsSchema = z.record(z.string(), z.unknown());

/** Queues as `GET /api/queues/{vhost}` lists them. */
const queuesSchema = z.array(
  z.object({ name: z.string(), durable: z.boolean(), arguments: argumentsSchema }),
);
/** Exchanges as `GET /api/exchanges/{vhost}` lists them. */
const exchangesSchema = z.array(
  z.object({
    name: z.string(),
    type: z.string(),
    durable: z.boolean(),
    arguments: argumentsSchema,
  }),
);
/** Bindings as `GET /api/bindings/{vhost}` lists them. */
const bindingsSchema = z.array(
  z.object({
    source: z.string(),
    destination: z.string(),
    destination_type: z.string(),
    routing_key: z.string(),
    arguments: argumentsSchema.optional(),
  }),
);

/** Consumers as `GET /api/consumers/{vhost}` lists them. */
const consumersSchema = z.array(
  z.object({
    queue: z.object({ name: z.string() }),
    channel_details: z.object({ connection_name: z.string().optional() }),
  }),
);
/** Connections as `GET /api/connections` lists them: `user_provided_name` is the client's own. */
const connectionsSchema = z.array(
  z.object({ name: z.string(), user_provided_name: z.string().optional() }),
);

/** Who consumes a queue. */
export interface StandingConsumer {
  readonly queue: string;
  /** The name that its connection gave itself, such as `ecomarket email`. */
  readonly name: string | undefined;
  readonly address: string;
}

/** Reads who consumes what in `vhost`. n.b. what the API tells may be some seconds old. */
export async function readConsumers(
  client: ManagementClient,
  vhost: string,
): Promise<StandingConsumer[]> {
  const consumers = await client.get(`consumers/${encodeURIComponent(vhost)}`, consumersSchema);
  const connections = await client.get("connections", connectionsSchema);
  const names = new Map(
    connections.map(({ name, user_provided_name }) => [name, user_provided_name]),
  );
  return consumers.map(({ queue, channel_details: { connection_name: address = "unknown" } }) => ({
    queue: queue.name,
    name: names.get(address),
    address,
  }));
}

/** The version of the node that answers, such as `4.3.6`. */
export async function readVersion(client: ManagementClient): Promise<string> {
  return (await client.get("overview", versionSchema)).rabbitmq_version;
}

const versionSchema = z.object({ rabbitmq_version: z.string() });

const queueSchema = z.object({ durable: z.boolean(), arguments: argumentsSchema });
const queueBindingsSchema = z.array(z.object({ source: z.string(), routing_key: z.string() }));

/** A queue that stands: how it was declared, and where it is bound. */
export interface StandingQueue {
  readonly durable: boolean;
  readonly arguments: Arguments;
  readonly bindings: readonly { readonly exchange: string; readonly routingKey: string }[];
}

/** Reads how the queue stands now; the default exchange, to which each is bound, is left out. */
export async function readQueue(
  client: ManagementClient,
  vhost: string,
  name: string,
): Promise<StandingQueue> {
  const path = `queues/${encodeURIComponent(vhost)}/${encodeURIComponent(name)}`;
  const bindings = await client.get(`${path}/bindings`, queueBindingsSchema);
  return {
    ...await client.get(path, queueSchema),
    bindings: bindings.filter(({ source }) => source !== "")
      .map(({ source, routing_key }) => ({ exchange: source, routingKey: routing_key })),
  };
}

/** The arguments with which something was declared. */
type Arguments = Readonly<Record<string, unknown>>;

/** What stands in one virtual host, in the management API's words. */
export interface StandingTopology {
  readonly exchanges: readonly {
    readonly name: string;
    readonly type: string;
    readonly durable: boolean;
    readonly arguments: Arguments;
  }[];
  readonly queues: readonly {
    readonly name: string;
    readonly durable: boolean;
    readonly arguments: Arguments;
  }[];
  readonly bindings: readonly {
    readonly source: string;
    readonly destination: string;
    readonly destination_type: string;
    readonly routing_key: string;
    readonly arguments?: Arguments | undefined;
  }[];
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
