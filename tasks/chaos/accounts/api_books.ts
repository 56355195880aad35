/** What the users API and the subscribers have written down, read from outside for the checker. */
import {
  holdingsIn,
  ofEachSubscriber,
  type StoresReader,
} from "@ecomarket/testbed/stores/stores_reader";
import type { Answer } from "../load/api_load.ts";
import type { ApiBooks, UserRecord, WaitingEvent } from "./api_ledger.ts";

/** What the store of the users API is called in a data folder. */
export const USERS_FOLDER = "users";

/** Reads everything, also while it is being written. */
export async function readApiBooks(
  answers: readonly Answer[],
  stores: StoresReader,
): Promise<ApiBooks> {
  // n.b. the users first: an event that has its effect has its user.
  const users = await readUsersStore(stores);
  const subscribers = await ofEachSubscriber((name) => holdingsIn(stores, name));
  return { answers, ...users, subscribers };
}

/**
 * Reads what the users API alone has written down, in the store called `name`.
 *
 * @throws {Error} when there is none.
 */
export async function readUsersStore(
  stores: StoresReader,
  name = USERS_FOLDER,
): Promise<Pick<ApiBooks, "users" | "outbox">> {
  // n.b. one statement: a batch that is confirmed in between would seem to be in neither table.
  const rows = await stores.rows(
    name,
    "outbox",
    `SELECT user_id, event_id, announced_at, NULL AS event FROM users
     UNION ALL SELECT NULL, NULL, NULL, event FROM outbox`,
  );
  if (!rows) throw new Error(`There is no store of the users API called ${name}`);
  const users: UserRecord[] = [];
  const outbox: WaitingEvent[] = [];
  for (const { user_id, event_id, announced_at, event } of rows) {
    if (event === null) {
      users.push({
        userId: String(user_id),
        eventId: String(event_id),
        isAnnounced: announced_at !== null,
      });
    } else outbox.push(waitingEvent(String(event)));
  }
  return { users, outbox };
}

/** n.b. both ids are read out of what would be published, not out of the columns beside it. */
function waitingEvent(event: string): WaitingEvent {
  const { event_id, user_id } = JSON.parse(event) as Record<string, unknown>;
  return { eventId: String(event_id), userId: String(user_id) };
}
