/** What a subscriber of a comparison has done, read from its store. */
import { readStore } from "@ecomarket/testbed/stores/read_store";

/** The emails with this prefix for which its effect is committed. */
export function recordedEmails(directory: string, prefix: string): ReadonlySet<string> {
  const rows = readStore(
    directory,
    // n.b. GLOB with a fixed beginning is answered by the index.
    (db) => db.prepare("SELECT email FROM signups WHERE email GLOB ?").all(`${prefix}*`),
  );
  return new Set(rows?.map(({ email }) => String(email)));
}
