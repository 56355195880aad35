/** What a checker of a chaos run finds that must not be. */
import type { EventAudit } from "@ecomarket/testbed/audit/event_audit";

/** Each finding of the audit by its name in the receipt. */
const FINDINGS = {
  lost: "lost",
  doubled: "duplicate effect",
  phantom: "phantom",
  innocent: "innocent dead letter",
  spared: "doomed but not dead-lettered",
} as const satisfies Record<keyof Omit<EventAudit, "endings">, string>;

/** Something that must not be, and the events (the users, where there is no event) with which it is. */
export interface Violation<K extends string = never> {
  /** Whose it is; absent where it is the users API's own. */
  readonly subscriber?: string;
  readonly kind: typeof FINDINGS[keyof typeof FINDINGS] | K;
  readonly ids: readonly string[];
}

/** What `audit` finds at `subscriber`. */
export function violationsOf(subscriber: string, audit: EventAudit): Violation[] {
  return (Object.keys(FINDINGS) as (keyof typeof FINDINGS)[])
    .map((finding) => ({ subscriber, kind: FINDINGS[finding], ids: audit[finding] }))
    .filter(({ ids }) => ids.length > 0);
}
