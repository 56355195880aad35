/**
 * The audit of lost and doubled: what became of each event at one subscriber, from what was published
 * and what the subscriber's store, dead letters and queue hold. It does nothing: rows in, findings out.
 */

/** How often each event was found at a place, by its id. */
export type Counts = ReadonlyMap<string, number>;

/** What was published, for one subscriber. */
export interface Published {
  /** Every event that anybody began to publish. */
  readonly ids: readonly string[];
  /** Those of which somebody was told that they are safe. @default all */
  readonly claimed?: ReadonlySet<string>;
  /** Those that the subscriber can only give up. @default none */
  readonly doomed?: ReadonlySet<string>;
}

/** Where the events of one subscriber were found. */
export interface Holdings {
  /** Effects, in its store. */
  readonly effects?: Counts;
  /** Archived dead letters that come from its queue. */
  readonly deadLetters?: Counts;
  /** Messages in its queue. */
  readonly waiting?: Counts;
}

/** What can be read from stores alone. */
export type StoredHoldings = Required<Omit<Holdings, "waiting">>;

/** How often one event was found at each place. */
export type Ending = Readonly<Record<keyof Holdings, number>>;

/** What became of the events. Each list of ids is something that must not be. */
export interface EventAudit {
  /** Of every published event. */
  readonly endings: ReadonlyMap<string, Ending>;
  /** Claimed, and nowhere. */
  readonly lost: readonly string[];
  /** Had their effect more than once, or wait more than once. */
  readonly doubled: readonly string[];
  /** Found, and published by nobody. */
  readonly phantom: readonly string[];
  /** Dead letters that had no reason to fail. */
  readonly innocent: readonly string[];
  /** Doomed, and yet they had their effect and are no dead letters. */
  readonly spared: readonly string[];
}

const NONE: Counts = new Map();

/** Audits one subscriber. */
export function auditEvents(
  { ids, claimed = new Set(ids), doomed = new Set() }: Published,
  { effects = NONE, deadLetters = NONE, waiting = NONE }: Holdings,
): EventAudit {
  const endings = new Map(ids.map((id) => [id, {
    effects: effects.get(id) ?? 0,
    deadLetters: deadLetters.get(id) ?? 0,
    waiting: waiting.get(id) ?? 0,
  }]));
  const those = (isSo: (ending: Ending, id: string) => boolean) =>
    [...endings].filter(([id, ending]) => isSo(ending, id)).map(([id]) => id);
  const found = new Set([...effects.keys(), ...deadLetters.keys(), ...waiting.keys()]);
  return {
    endings,
    lost: those((ending, id) => claimed.has(id) && placeOf(ending) === undefined),
    doubled: those((ending) => ending.effects > 1 || ending.waiting > 1),
    phantom: [...found].filter((id) => !endings.has(id)),
    innocent: those((ending, id) => ending.deadLetters > 0 && !doomed.has(id)),
    spared: those((ending, id) =>
      placeOf(ending) === "effects" && !ending.deadLetters && doomed.has(id)
    ),
  };
}

/** Where an event counts that was found at several places: the first one. */
export function placeOf(ending: Ending): keyof Holdings | undefined {
  return (["effects", "deadLetters", "waiting"] as const).find((place) => ending[place] > 0);
}

/** All of `counts` together. */
export function total(counts: Counts): number {
  return [...counts.values()].reduce((sum, times) => sum + times, 0);
}
