/** What `deno task publish` tells: for a person as it happens, for a program as one JSON object. */
import type { AnyEvent } from "@ecomarket/shared/contract/catalogue";
import type { Body } from "@ecomarket/shared/contract/message";
import { print } from "@ecomarket/shared/process/main";
import type { Level } from "../levels/levels.ts";
import { formOf } from "./events/event_forms.ts";
import type { Failure, PublishCounts } from "./publish_counts.ts";

/** Tells what became of each row. */
export interface Report {
  rejected(line: number, reason: string): void;
  failed(line: number, event: AnyEvent, failure: Failure): void;
  totals(counts: PublishCounts): void;
}

/** Rejected rows, and failed ones, that are listed. */
const MAX_LISTED = 10_000;

/**
 * Prints `{"published":N,"confirmed":N,"rejected":[{"line":L,"reason":"…"}]}` at the end, and
 * `"failed":[{"line":L,"status":"…","reason":"…"}]` in it where there are any. It lists
 * the first {@link MAX_LISTED} of each, and `"unlisted":N` says how many there are besides.
 */
export function jsonReport(): Report {
  const rejected: { line: number; reason: string }[] = [];
  const failed: { line: number; status: string; reason: string }[] = [];
  let unlisted = 0;
  const list = <T>(rows: T[], row: T) => {
    if (rows.length < MAX_LISTED) rows.push(row);
    else unlisted++;
  };
  return {
    rejected: (line, reason) => list(rejected, { line, reason }),
    failed: (line, _, { status, error }) => list(failed, { line, status, reason: error.message }),
    totals({ published, confirmed }) {
      failed.sort((a, b) => a.line - b.line);
      const result = {
        published,
        confirmed,
        rejected,
        ...(failed.length > 0 ? { failed } : {}),
        ...(unlisted > 0 ? { unlisted } : {}),
      };
      print(JSON.stringify(result));
    },
  };
}

/** What a text report needs besides. */
export interface TextReportOptions {
  readonly level: Level;
  /** Names the place of a row, such as `line 12`. */
  readonly place: (line: number) => string;
  /** Prints one line for the person at the terminal. */
  readonly say: (text: string) => void;
}

/** Says at once what goes wrong, and keeps nothing of it. The totals go to the standard output. */
export function textReport({ level, place, say }: TextReportOptions): Report {
  const explained = new Set<string>();
  return {
    rejected: (line, reason) => say(`${place(line)}: ${reason}`),
    failed(line, event, { status, error }) {
      const reason = explained.has(error.message) ? "as above" : error.message;
      explained.add(error.message);
      say(`${place(line)}: ${status} (${nameOf(event)}): ${reason}`);
    },
    totals: (counts) => print(totalsText(counts, level)),
  };
}

/** Such as `user u-1`. */
function nameOf(event: AnyEvent): string {
  const { noun, idField } = formOf(event.event_type);
  const fields: Body = { ...event };
  return `${noun} ${fields[idField]}`;
}

/** Such as `3 events published, 3 confirmed; 2 not delivered (2 returned); 1 row rejected`. */
export function totalsText(
  { published, confirmed, rejected, failed }: PublishCounts,
  level: Level,
): string {
  const failures = Object.entries(failed);
  const failedCount = failures.reduce((sum, [, count]) => sum + count, 0);
  const byStatus = failures.map(([status, count]) => `${count} ${status}`).join(", ");
  const parts = [`${plural(published, "event")} published, ${confirmed} confirmed`];
  if (failedCount > 0) parts.push(`${failedCount} not delivered (${byStatus})`);
  if (rejected > 0) parts.push(`${plural(rejected, "row")} rejected`);
  const totals = parts.join("; ");
  if (level === "robust" || published === 0) return totals;
  return `${totals}\nWhether they arrived is not known: at level ${level} the broker is not asked`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
