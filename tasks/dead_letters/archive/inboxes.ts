/**
 * What the subscribers have done, read from outside: the one question is whether an event is in the
 * inbox of whoever consumes a queue. Behind an interface, for a store need not be a file here.
 */
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { openForReading } from "@ecomarket/shared/store/sqlite";

/** The inboxes of all subscribers that can be asked. */
export interface Inboxes extends Disposable {
  /**
   * Whether the effect of `eventId` is committed by whoever consumes `queue`; `undefined` where its
   * store cannot be read from here.
   */
  has(queue: string, eventId: string): boolean | undefined;
}

/**
 * The inboxes below `dataDir`: each store there says which queue is its own, so that a subscriber that
 * nobody here knows is found as well.
 */
export class LocalInboxes implements Inboxes {
  /** By queue. n.b. a folder that somebody has copied is found beside the one that lives. */
  readonly #stores = new Map<string, DatabaseSync[]>();

  constructor(dataDir: string) {
    for (const directory of foldersIn(dataDir)) {
      const found = openInbox(join(dataDir, directory));
      if (found) this.#stores.set(found.queue, [...this.#of(found.queue), found.db]);
    }
  }

  has(queue: string, eventId: string): boolean | undefined {
    const stores = this.#of(queue);
    if (stores.length === 0) return undefined;
    try {
      return stores.some((db) =>
        db.prepare("SELECT 1 FROM inbox WHERE event_id = ?").get(eventId) !== undefined
      );
    } catch {
      return undefined; // Its store is away for now: not knowing is an answer here.
    }
  }

  #of(queue: string): readonly DatabaseSync[] {
    return this.#stores.get(queue) ?? [];
  }

  [Symbol.dispose](): void {
    for (const db of [...this.#stores.values()].flat()) db.close();
  }
}

function foldersIn(dataDir: string): string[] {
  try {
    return [...Deno.readDirSync(dataDir)].filter(({ isDirectory }) => isDirectory)
      .map(({ name }) => name);
  } catch (error) {
    // n.b. with a DATA_DIR of its own the sandbox may allow some of its folders only.
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotCapable) return [];
    throw error;
  }
}

/** The store in `directory` and the queue that it is of; nothing for one that cannot be read. */
function openInbox(directory: string): { queue: string; db: DatabaseSync } | undefined {
  let db: DatabaseSync | undefined;
  try {
    db = openForReading(directory);
    const owner = db?.prepare("SELECT queue FROM store_owner").get();
    db?.prepare("SELECT 1 FROM inbox LIMIT 1").get();
    if (db && owner) return { queue: String(owner.queue), db };
  } catch {
    // Another user's, another program's, or from before there were owners.
  }
  db?.close();
  return undefined;
}
