/** What a subscriber of a comparison has done, read from its store. */
import { openForReading } from "@ecomarket/shared/store/sqlite";

/** The emails with this prefix for which its effect is committed. */
export function recordedEmails(directory: string, prefix: string): ReadonlySet<string> {
  const db = openForReading(directory);
  if (!db) return new Set();
  try {
    // n.b. GLOB with a fixed beginning is answered by the index.
    const rows = db.prepare("SELECT email FROM signups WHERE email GLOB ?").all(`${prefix}*`);
    return new Set(rows.map(({ email }) => String(email)));
  } finally {
    db.close();
  }
}
