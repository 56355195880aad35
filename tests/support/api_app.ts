/** The users API without a port, over a real store in a folder of its own. */
import { join } from "node:path";
import { roleLogger } from "@ecomarket/shared/process/log";
import { DATABASE_FILE } from "@ecomarket/shared/store/sqlite";
import type { ApiStore } from "../../publisher/api/api_store.ts";
import { openSqliteApiStore } from "../../publisher/api/sqlite_api_store.ts";
import { createApp } from "../../publisher/api/app.ts";
import type { BacklogBounds } from "../../publisher/outbox/backlog.ts";
import type { RelayStatus } from "../../publisher/outbox/relay_status.ts";
import { temporaryFolder } from "./temporary_folder.ts";

/** What came of a request: its body is JSON in any case. */
export interface Answer {
  readonly response: Response;
  // deno-lint-ignore no-explicit-any
  readonly body: any;
}

/** An API that is asked directly. */
export interface AskedApi extends AsyncDisposable {
  readonly app: ReturnType<typeof createApp>;
  readonly store: ApiStore;
  /** What its relay says is what the test wants it to say. */
  readonly relay: { status: RelayStatus };
  /** The file of its store. */
  readonly file: string;
  /** Posts `body`, a text as it is and anything else as JSON. */
  postTo(path: string, body: unknown, headers?: Headers): Promise<Answer>;
  /** The same, to `/users`. */
  post(body: unknown, headers?: Headers): Promise<Answer>;
}

type Headers = Readonly<Record<string, string>>;

/** An API with an empty store. */
export async function newApi(
  bounds: BacklogBounds = { maxEvents: 10, maxAgeMs: 60_000 },
): Promise<AskedApi> {
  const folder = await temporaryFolder();
  const store = openSqliteApiStore(folder.path);
  const relay = { status: { state: "connected" } as RelayStatus };
  const app = createApp({ store, relay, bounds, log: roleLogger("test") });
  const postTo: AskedApi["postTo"] = async (path, body, headers = {}) => {
    const response = await app.request(path, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...headers },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { response, body: await response.json() };
  };
  return {
    app,
    store,
    relay,
    postTo,
    post: (body, headers) => postTo("/users", body, headers),
    file: join(folder.path, DATABASE_FILE),
    async [Symbol.asyncDispose]() {
      await store[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}
