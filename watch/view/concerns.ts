/** What a person should know first, of all that a view says: worst first. Words for it are elsewhere. */
import type { View } from "./view.ts";

/** One thing to know. */
export type Concern =
  | { readonly kind: "broker"; readonly state: "away" | "stopped" }
  | { readonly kind: "doubled" | "nowhere"; readonly who: string; readonly count: number }
  | {
    readonly kind: "down";
    readonly who: string;
    readonly waiting: number;
    /** Whether the broker says that it holds them. */
    readonly areHeld: boolean;
  }
  | {
    readonly kind: "paused";
    readonly who: string;
    readonly waiting: number;
    readonly waitsFor: string;
    readonly reason: string;
  }
  | { readonly kind: "archive-down"; readonly waiting: number }
  | { readonly kind: "differs"; readonly count: number }
  | { readonly kind: "dead"; readonly count: number }
  | { readonly kind: "starting"; readonly who: string }
  | { readonly kind: "retrying"; readonly who: string; readonly count: number }
  | { readonly kind: "new-subscriber"; readonly who: string }
  | { readonly kind: "well"; readonly published: number };

/** How bad a concern is. */
export type Weight = "bad" | "warning" | "notice" | "good";

/** What to know of `view`, the worst first; that all is well where there is nothing else. */
export function concerns(view: View): Concern[] {
  const { broker, subscribers, archive, topology, letters, traffic } = view;
  const found: Concern[] = [];
  if (broker.state !== "up") found.push({ kind: "broker", state: broker.state });
  for (const { name: who, account: { verdict } } of subscribers) {
    if (verdict.kind === "doubled") {
      found.push({ kind: "doubled", who, count: verdict.ids.length });
    } else if (verdict.kind === "nowhere") {
      found.push({ kind: "nowhere", who, count: verdict.count });
    }
  }
  for (const { name: who, state, account, ready = 0, waitsFor = "", reason = "" } of subscribers) {
    const waiting = Math.max(account.waiting, ready);
    const areHeld = account.verdict.kind === "waiting" || account.verdict.kind === "settled";
    if (state === "down") found.push({ kind: "down", who, waiting, areHeld });
    if (state === "paused") found.push({ kind: "paused", who, waiting, waitsFor, reason });
  }
  if (archive.state === "down") found.push({ kind: "archive-down", waiting: archive.ready ?? 0 });
  if (topology.differences.length > 0) {
    found.push({ kind: "differs", count: topology.differences.length });
  }
  const dead = letters.filter(({ state }) => state === "waiting").length;
  if (dead > 0) found.push({ kind: "dead", count: dead });
  for (const { name: who, state, retries } of subscribers) {
    if (state === "starting") found.push({ kind: "starting", who });
    const count = retries.reduce((sum, { ready }) => sum + (ready ?? 0), 0);
    if (count > 0) found.push({ kind: "retrying", who, count });
  }
  for (const { name } of topology.others) found.push({ kind: "new-subscriber", who: name });
  const isWell = found.every((concern) => weightOf(concern) === "notice");
  return isWell ? [{ kind: "well", published: traffic.published }, ...found] : found;
}

/** How bad `concern` is. */
export function weightOf({ kind }: Concern): Weight {
  switch (kind) {
    case "broker":
    case "doubled":
    case "nowhere":
    case "down":
    case "archive-down":
      return "bad";
    case "paused":
    case "differs":
    case "dead":
      return "warning";
    case "starting":
    case "retrying":
    case "new-subscriber":
      return "notice";
    case "well":
      return "good";
  }
}
