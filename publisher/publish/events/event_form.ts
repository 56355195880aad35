/** What is special to one event on its way from a command line or a row to the broker. */
import type { Body } from "@ecomarket/shared/contract/message";
import type { Column } from "../sources/csv.ts";
import type { Invent } from "../sources/generated.ts";

/** An option of the command line that describes one event. */
export interface Flag {
  /** The field of a row that it fills in. */
  readonly field: string;
  /** @default false */
  readonly isRequired?: boolean;
  /** Whether it may be given several times: the field is then a list of texts. @default false */
  readonly isRepeatable?: boolean;
  /**
   * What is wrong with a value that a person has typed, such as `must be a colour`; `undefined` where
   * nothing is. The contract judges it as well, for everybody: this knows what is a slip of the hand.
   */
  readonly problemOf?: (value: string) => string | undefined;
}

/** How one event is asked for, read and invented: a file beside this, and a line in `event_forms.ts`. */
export interface EventForm {
  /** What one is to a person, such as `user`. */
  readonly noun: string;
  /** The field whose value names one, such as `user_id`. */
  readonly idField: string;
  /** Its options, by their names without `--`. Without any, it comes from rows alone. */
  readonly flags: Readonly<Record<string, Flag>>;
  /** What `--help` says: how the command is called, and what each option is. */
  readonly usage: { readonly calls: string; readonly options: string };
  /** The columns that a CSV must have. */
  readonly columns: readonly Column[];
  /** The fields of a row as the contract names them. It judges nothing: the contract does. */
  readonly toFields: (row: Body) => Body;
  /** Invents a row, for `--count`. @default none can be invented */
  readonly invent?: Invent;
}

/** An id as rows write it: a number is understood, and an empty one is none. */
export function idOf(value: unknown): unknown {
  if (Number.isSafeInteger(value)) return String(value);
  if (typeof value !== "string") return value ?? undefined;
  return value.trim() === "" ? undefined : value.trim();
}

/** A number that a text may hold. Anything else is left as it is, to be refused. */
export function numberOf(value: unknown): unknown {
  return typeof value === "string" && /^-?\d+(\.\d+)?$/.test(value.trim()) ? Number(value) : value;
}
