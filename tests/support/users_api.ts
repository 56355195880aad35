/** The users API as a process in its sandbox, on a test's own broker and folder, and its clients. */
import assert from "node:assert/strict";
import { join } from "node:path";
import type { LogRecord } from "@ecomarket/testbed/processes/log_record";
import { type RoleProcessOptions, roleSpec, usersApi } from "@ecomarket/testbed/processes/roles";
import { SandboxedProcess } from "@ecomarket/testbed/processes/sandboxed_process";
import { readStore } from "@ecomarket/testbed/stores/read_store";
import type { Purchase } from "../../publisher/api/purchases.ts";
import type { User } from "../../publisher/api/users.ts";
import type { Bench } from "./bench.ts";

/** A running API, and what it has logged. */
export interface TestApi extends AsyncDisposable {
  readonly process: SandboxedProcess;
  readonly url: string;
  readonly records: readonly LogRecord[];
  /** Asks `path` for its JSON. */
  get(path: string): Promise<{ readonly status: number; readonly body: Record<string, unknown> }>;
}

/** Starts an API in the folder of `bench`, as its own user, and waits until it listens. */
export async function startApi(
  bench: Pick<Bench, "urlOf" | "directory">,
  { port, ...options }: Partial<RoleProcessOptions> & { readonly port?: number } = {},
): Promise<TestApi> {
  const records: LogRecord[] = [];
  const process = await SandboxedProcess.startReady(roleSpec(usersApi(port), {
    amqpUrls: options.amqpUrls ?? [await bench.urlOf("users-api")],
    dataDir: bench.directory,
    onRecord: (record) => records.push(record),
    ...options,
  }));
  const url = await process.url;
  return {
    process,
    url,
    records,
    async get(path) {
      const response = await fetch(`${url}${path}`);
      return { status: response.status, body: await response.json() };
    },
    [Symbol.asyncDispose]: () => process[Symbol.asyncDispose](),
  };
}

/** Sends a registration. `n` makes the email its own. */
export function post(
  api: Pick<TestApi, "url">,
  n: number | string,
  headers: Readonly<Record<string, string>> = {},
): Promise<Response> {
  return fetch(`${api.url}/users`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ nombre: `Íñigo Ñáñez ${n}`, email: `inigo${n}@example.com` }),
  });
}

/** Registers `count` users at once, and demands that each is answered with 201. */
export function registerAll(api: Pick<TestApi, "url">, count: number, from = 0): Promise<User[]> {
  return Promise.all(Array.from({ length: count }, async (_, n) => {
    const response = await post(api, from + n);
    const body = await response.json();
    assert.equal(response.status, 201, JSON.stringify(body));
    return body as User;
  }));
}

/** Records a purchase of `user`, and demands that it is answered with 201. */
export async function buy(
  api: Pick<TestApi, "url">,
  { user_id }: Pick<User, "user_id">,
  headers: Readonly<Record<string, string>> = {},
): Promise<Purchase> {
  const items = [{ sku: "café-1kg", quantity: 2 }];
  const response = await fetch(`${api.url}/purchases`, {
    method: "POST",
    headers: { "Content-Type": "application/json", ...headers },
    body: JSON.stringify({ user_id, total: 12_50, currency: "MXN", items }),
  });
  const body = await response.json();
  assert.equal(response.status, 201, JSON.stringify(body));
  return body;
}

/** The ids of the events that are in the outbox of `bench`'s API, in order. */
export function outboxIds(bench: Pick<Bench, "directory">): string[] {
  const sql = "SELECT event_id FROM outbox ORDER BY position";
  const rows = readStore(join(bench.directory, "users"), (db) => db.prepare(sql).all());
  assert.ok(rows, "there is a store");
  return rows.map((row) => String(row.event_id));
}

/** What {@link assertReadiness} finds where all is well. */
export const READY = { status: "ready", state: "connected", events: 0 };

/** Asserts what `/readyz` says of the whole, of the relay and of the backlog. */
export async function assertReadiness(
  api: TestApi,
  expected: Record<string, unknown>,
): Promise<void> {
  const { status, body } = await api.get("/readyz");
  assert.equal(status, 200);
  const { state } = body.relay as { state: string };
  const { events } = body.backlog as { events: number };
  assert.deepEqual({ status: body.status, state, events }, expected);
}
