/** What each store's folder is like, changing nothing in it. */
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Backlog } from "@ecomarket/publisher/outbox/backlog";
import { readSqliteBacklog } from "@ecomarket/publisher/outbox/sqlite_outbox";
import { DATABASE_FILE } from "@ecomarket/shared/store/sqlite";
import { type DataDirOf, SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";
import { readStore } from "@ecomarket/testbed/stores/read_store";
import type { StoreFacts } from "../facts.ts";
import { look } from "../look.ts";

/** Whoever keeps a store. */
const OWNERS: readonly string[] = [...SUBSCRIBERS, "dead_letters", "users"];

/** How long another one's commit is waited for. */
const BUSY_TIMEOUT_MS = 200;
/** What the group and everybody else may do. */
const OTHERS = 0o077;

/** The stores that exist. One whose role has never run is none. */
export async function readStores(dataDirOf: DataDirOf): Promise<StoreFacts[]> {
  const stores = await Promise.all(OWNERS.map((name) => readFolder(name, dataDirOf(name))));
  return stores.filter((store) => store !== undefined);
}

async function readFolder(name: string, directory: string): Promise<StoreFacts | undefined> {
  const path = join(directory, DATABASE_FILE);
  const files = [directory, path, `${path}-wal`, `${path}-shm`].map((path) => ({
    path,
    info: statOf(path),
  }));
  if (!files[0]!.info) return undefined;
  return {
    name,
    directory,
    bytes: files.slice(1, 3).reduce((sum, { info }) => sum + (info?.size ?? 0), 0),
    openToOthers: files.filter(({ info }) => ((info?.mode ?? 0) & OTHERS) !== 0)
      .map(({ path }) => path),
    writable: files[1]!.info
      ? await look(() => checkWritable(path))
      : { ok: true, value: undefined },
  };
}

function statOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** Takes the lock that a commit takes, and gives it back: nothing is written. */
function checkWritable(path: string): void {
  using db = new DatabaseSync(path);
  db.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
  db.exec("BEGIN IMMEDIATE");
  db.exec("ROLLBACK");
}

/** What waits in the outbox of the users API; `undefined` where there is none yet. */
export function readOutbox(dataDirOf: DataDirOf, now: Date): Backlog | undefined {
  return readStore(dataDirOf("users"), (db) => readSqliteBacklog(db, now));
}
