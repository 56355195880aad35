/**
 * What a promotion may cost where the standby follows asynchronously: what the dead primary had
 * committed, and told, and its standby had not. Pure: findings in, two lists of findings out.
 */
import type { StoredHoldings } from "@ecomarket/testbed/audit/event_audit";
import type { UserRecord } from "./api_ledger.ts";
import type { Violation } from "./violation.ts";

/** What was found on the disk of the primary that died. */
export interface LostPrimary {
  readonly subscribers: Readonly<Record<string, StoredHoldings>>;
  readonly users: readonly UserRecord[];
}

/** Findings, told apart by what the dead primary held. */
export interface Explained<V> {
  /** What the dead primary had committed, and the promotion forgot. */
  readonly forgotten: readonly V[];
  /** What no promotion explains. */
  readonly unexplained: readonly V[];
}

/**
 * Takes `findings` apart, id by id. A promotion explains what is missing and was on the dead primary's
 * disk, and the event of a user who was: nothing that is there twice, and nothing that never was there.
 */
export function explainByPromotion<K extends string>(
  findings: readonly Violation<K>[],
  primary: LostPrimary,
): Explained<Violation<K>> {
  const users = new Set(primary.users.map(({ eventId }) => eventId));
  const wasThere = ({ kind, subscriber }: Violation<K>, id: string): boolean => {
    const held = primary.subscribers[subscriber ?? ""];
    switch (kind) {
      case "lost":
        return held !== undefined && (held.effects.has(id) || held.deadLetters.has(id));
      case "phantom":
      case "answered, not registered":
        return users.has(id);
      default:
        return false;
    }
  };
  const part = (isForgotten: boolean) =>
    findings.map((finding) => ({
      ...finding,
      ids: finding.ids.filter((id) => wasThere(finding, id) === isForgotten),
    })).filter(({ ids }) => ids.length > 0);
  return { forgotten: part(true), unexplained: part(false) };
}
