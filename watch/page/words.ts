/** What a language must have words for. The languages are `english.ts` and `spanish.ts`. */
import type { Concern } from "../view/concerns.ts";
import type {
  Cell,
  ConsumerView,
  Deed,
  EventRow,
  Instance,
  LetterRow,
  Step,
  Verdict,
} from "../view/view.ts";

/** What a language has to say. */
export interface Words {
  readonly code: "en" | "es";
  /** The name of the language to change to, in that language. */
  readonly other: string;
  readonly title: string;
  /** Texts of the page that never change, by the id of their element. */
  readonly still: Readonly<Record<string, string>>;
  readonly readOnly: string;
  readonly connection: Readonly<Record<"live" | "lost" | "paused", string>>;
  readonly broker: Readonly<Record<"up" | "away" | "stopped", string>>;
  readonly concern: (concern: Concern) => string;
  readonly consumer: Readonly<Record<ConsumerView["state"], string>>;
  readonly instance: (instance: Instance) => string;
  readonly elsewhere: (consumers: number) => string;
  readonly verdict: (verdict: Verdict) => string;
  readonly account: Readonly<
    Record<"published" | "effects" | "deadLetters" | "waiting" | "held", string>
  >;
  readonly sampled: (shown: number, published: number, perSecond: number) => string;
  readonly earlier: (count: number) => string;
  /** What waits in a queue, and what its consumers have received. */
  readonly depth: (ready: string, inHand: number) => string;
  readonly dots: (each: number) => string;
  /** The head of the column of events. */
  readonly event: string;
  readonly publishing: Readonly<Record<EventRow["publishing"], string>>;
  readonly cell: (cell: Cell) => string;
  readonly again: (seconds: number) => string;
  readonly reasons: Readonly<Record<string, string>>;
  readonly died: (who: string, reason: string) => string;
  readonly letterState: Readonly<Record<LetterRow["state"], string>>;
  readonly deed: Readonly<Record<Deed["state"], string>>;
  readonly step: (step: Step) => string;
  readonly diagram: Readonly<
    Record<
      "publisher" | "archive" | "effects" | "letters" | "missing" | "differs" | "new" | "label",
      string
    >
  >;
  readonly button: Readonly<
    Record<
      | "publishOne"
      | "publishMany"
      | "failTwice"
      | "failAlways"
      | "stop"
      | "kill"
      | "start"
      | "stopBroker"
      | "startBroker"
      | "replay"
      | "again",
      string
    >
  >;
  readonly story: (label: string) => string;
}

/** A count and what is counted, such as `1 event` or `2 events`. */
export function plural(count: number, one: string, many: string): string {
  return `${count} ${count === 1 ? one : many}`;
}
