/** What the users API and the subscribers have written down, read from outside for the checker. */
import type { DatabaseSync } from "node:sqlite";
import { type DataDirOf, holdingsOf, SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";
import { readStore } from "@ecomarket/testbed/stores/read_store";
import type { Answer } from "../load/api_load.ts";
import type { ApiBooks, UserRecord, WaitingEvent } from "./api_ledger.ts";

/** Reads everything, also while it is being written. */
export function readApiBooks(answers: readonly Answer[], dataDirOf: DataDirOf): ApiBooks {
  return {
    answers,
    ...readUsersStore(dataDirOf),
    subscribers: Object.fromEntries(
      SUBSCRIBERS.map((name) => [name, holdingsOf(name, dataDirOf)]),
    ),
  };
}

/** Reads what the users API alone has written down. */
export function readUsersStore(dataDirOf: DataDirOf): Pick<ApiBooks, "users" | "outbox"> {
  const found = readStore(dataDirOf("users"), (db) => {
    // n.b. one transaction: a batch that is confirmed in between would seem to be in neither table.
    db.exec("BEGIN");
    return { users: readUsers(db), outbox: readOutbox(db) };
  });
  if (!found) throw new Error(`There is no store of users in ${dataDirOf("users")}`);
  return found;
}

function readUsers(db: DatabaseSync): UserRecord[] {
  return db.prepare("SELECT user_id, event_id, announced_at FROM users").all().map((row) => ({
    userId: String(row.user_id),
    eventId: String(row.event_id),
    isAnnounced: row.announced_at !== null,
  }));
}

/** n.b. both ids are read out of what would be published, not out of the columns beside it. */
function readOutbox(db: DatabaseSync): WaitingEvent[] {
  return db.prepare(
    "SELECT event ->> 'event_id' AS event_id, event ->> 'user_id' AS user_id FROM outbox",
  ).all().map((row) => ({ eventId: String(row.event_id), userId: String(row.user_id) }));
}
