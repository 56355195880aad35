/**
 * All that the page shows, as data: the server makes it, the browser draws it. It holds no words of a
 * language but those that something else said, such as an error.
 */

/** Milliseconds since 1970. */
export type Time = number;

/** One moment, whole: a page that missed the one before misses nothing. */
export interface View {
  readonly now: Time;
  /** Since when events are counted: what was published before is not in {@link Account.published}. */
  readonly since: Time;
  readonly broker: BrokerView;
  readonly subscribers: readonly SubscriberView[];
  /** The dead-letter consumer. */
  readonly archive: ArchiveView;
  readonly topology: TopologyView;
  readonly traffic: Traffic;
  /** The newest first, and never more than a screen can show: see {@link Traffic}. */
  readonly events: readonly EventRow[];
  /** Dead letters that wait for somebody's decision, the newest first. */
  readonly letters: readonly LetterRow[];
  /** What the buttons did, the newest first. */
  readonly deeds: readonly Deed[];
}

/** The broker, as the page finds it. */
export interface BrokerView {
  readonly state: "up" | "away" | "stopped";
  readonly version: string;
  /** `private` is one that this project started: it can be stopped and started here. */
  readonly kind: string;
}

/** What a process does that this page has started. */
export interface Instance {
  readonly pid: number;
  readonly state: "starting" | "running" | "stopping" | "stopped" | "killed" | "ended";
  /** How it ended, such as `137` or `SIGKILL`. */
  readonly status: string | undefined;
}

/** What a consumer of a queue does, whoever started it. */
export interface ConsumerView {
  readonly name: string;
  readonly queue: string;
  /** `down`: nobody consumes its queue. `paused`: it waits for what it depends on. */
  readonly state: "consuming" | "paused" | "starting" | "down" | "unknown";
  /** Of a paused one: for what, and why it could not be used. */
  readonly waitsFor: string | undefined;
  readonly reason: string | undefined;
  /** The one that this page has started last; none where somebody else runs it. */
  readonly instance: Instance | undefined;
  /** Consumers of its queue; `undefined` while the broker does not tell. */
  readonly consumers: number | undefined;
  /** Messages that wait in its queue. */
  readonly ready: number | undefined;
  /** Messages that a consumer has received and not settled yet. n.b. some seconds old. */
  readonly inHand: number | undefined;
}

/** A subscriber: a consumer with effects, retries, and an account of them. */
export interface SubscriberView extends ConsumerView {
  /** By which events it wants. */
  readonly exchanges: readonly string[];
  /** Messages that wait in each of its retry queues. */
  readonly retries: readonly RetryQueue[];
  readonly account: Account;
  /** All effects in its store, those of before the page was opened as well. */
  readonly stored: number;
}

/** A retry queue, and how much waits in it. */
export interface RetryQueue {
  readonly delayMs: number;
  readonly ready: number | undefined;
}

/** The dead-letter consumer, and its archive. */
export interface ArchiveView extends ConsumerView {
  /** Archived dead letters, without copies and without those that were given up. */
  readonly stored: number;
}

/** What became of the events that were published since {@link View.since}, at one subscriber. */
export interface Account {
  /** Events that it is to have: confirmed to this page, or received by it as by any subscriber. */
  readonly published: number;
  /** Those of them with an effect in its store. */
  readonly effects: number;
  /** Those that are in the archive, and without an effect. */
  readonly deadLetters: number;
  /** Those with neither. */
  readonly waiting: number;
  /** What the broker holds for it; `undefined` while the broker does not tell. */
  readonly held: number | undefined;
  readonly verdict: Verdict;
}

/** Whether an account adds up. */
export type Verdict =
  /** Every event has its effect or its dead letter. */
  | { readonly kind: "settled" }
  /** Each other one is on the broker. */
  | { readonly kind: "waiting" }
  /** The broker's figures are older than the stores': it is looked again. */
  | { readonly kind: "counting" }
  /** The broker does not answer. */
  | { readonly kind: "unknown" }
  /** These had their effect more than once. */
  | { readonly kind: "doubled"; readonly ids: readonly string[] }
  /** `count` of these are in no store, in no archive, and on no queue. */
  | { readonly kind: "nowhere"; readonly count: number; readonly ids: readonly string[] };

/** What stands on the broker, and how it differs from what is wanted. */
export interface TopologyView {
  readonly exchanges: readonly Standing[];
  readonly queues: readonly Standing[];
  readonly bindings: readonly StandingBinding[];
  /** Queues that receive an event, and that the topology does not name. */
  readonly others: readonly OtherQueue[];
  /** Each difference in a sentence, as `deno task setup-queues --check` prints it. */
  readonly differences: readonly string[];
}

/** An exchange or a queue that shall stand. */
export interface Standing {
  readonly name: string;
  readonly state: "stands" | "differs" | "missing" | "unknown";
}

/** A binding of an event's exchange that shall stand. */
export interface StandingBinding {
  readonly exchange: string;
  readonly queue: string;
  readonly state: "stands" | "missing" | "unknown";
}

/** A subscriber that this project does not know. */
export interface OtherQueue {
  readonly name: string;
  readonly exchange: string;
  readonly ready: number;
  readonly consumers: number;
}

/** How much passed, and how much of it is drawn. */
export interface Traffic {
  /** Since {@link View.since}. */
  readonly published: number;
  /** In the last second. */
  readonly perSecond: number;
  /** Of {@link Traffic.published}, those that have a row. */
  readonly shown: number;
  /** Events that were done and that this page had not seen published: from before, or sent back. */
  readonly earlier: number;
  /** What happened since the view before. */
  readonly moves: readonly Move[];
}

/** `count` events on their way, since the view before. */
export interface Move {
  readonly kind: "published" | "committed" | "retried" | "dead";
  /** The subscriber; nobody for `published`. */
  readonly who: string | undefined;
  readonly count: number;
}

/** One event, in a row of the table. */
export interface EventRow {
  readonly id: string;
  readonly type: string;
  /** Whom it is about. n.b. whoever published it wrote this. */
  readonly label: string;
  readonly at: Time;
  /** `seen`: somebody else published it. `earlier`: it was published before the page was opened. */
  readonly publishing: "sent" | "confirmed" | "failed" | "seen" | "earlier";
  /** By subscriber. */
  readonly cells: Readonly<Record<string, Cell>>;
}

/** What becomes of one event at one subscriber. */
export type Cell =
  /** Not an event that it wants. */
  | { readonly state: "none" }
  | { readonly state: "waiting" }
  | {
    readonly state: "retrying";
    /** The attempt that failed, from 1 up. */
    readonly attempt: number;
    readonly reason: string;
    readonly until: Time;
    readonly delayMs: number;
  }
  | { readonly state: "committed"; readonly replayed: boolean }
  | { readonly state: "dead"; readonly reason: string; readonly detail: string }
  /** Sent back from the archive, and not done yet. */
  | { readonly state: "replayed" };

/** A dead letter. */
export interface LetterRow {
  readonly id: number;
  readonly eventId: string;
  /** Whom its event is about, where it says so. */
  readonly label: string;
  readonly queue: string;
  readonly reason: string;
  readonly detail: string;
  readonly at: Time;
  /** Of one that was sent back: `done` once it has its effect, `died-again` once it is a newer dead letter. */
  readonly state: "waiting" | "replayed" | "done" | "died-again";
}

/** What a button did: the command that it stands for, and what came of it. */
export interface Deed {
  readonly n: number;
  readonly at: Time;
  readonly command: string;
  readonly state: "running" | "done" | "failed";
  /** What it said last. */
  readonly output: string;
}

/** The whole story of one event: see `GET /events/{id}`. */
export interface Story {
  readonly id: string;
  readonly type: string;
  readonly label: string;
  readonly publishing: EventRow["publishing"];
  /** The message, as it passed; nothing of an event that was published before. */
  readonly headers: Readonly<Record<string, unknown>> | undefined;
  readonly body: string | undefined;
  /** In order of time. */
  readonly steps: readonly Step[];
}

/** One thing that happened to an event. */
export interface Step {
  readonly at: Time;
  /** A subscriber; nobody for what the publisher did. */
  readonly who: string | undefined;
  readonly kind:
    | "sent"
    | "confirmed"
    | "failed"
    | "seen"
    | "retried"
    | "gave-up"
    | "committed"
    | "archived"
    | "replayed";
  readonly attempt: number | undefined;
  readonly delayMs: number | undefined;
  /** An error, or what else was said. */
  readonly detail: string | undefined;
  /** Of a dead letter. */
  readonly headers: Readonly<Record<string, unknown>> | undefined;
}
