/** Rows about what never happened, for demonstrations and load. */
import type { Faker } from "@faker-js/faker";
import type { Body } from "@ecomarket/shared/contract/message";
import type { FilledRow, RowSource } from "./source_row.ts";

/** Invents the fields of the row `n`, counted from 1. */
export type Invent = (faker: Faker, n: number) => Body;

/** What is invented, and how often. */
export interface GeneratedOptions {
  readonly invent: Invent;
  readonly count: number;
  /** The same seed invents the same rows, ids included; their events are new ones all the same. */
  readonly seed?: number | undefined;
}

/** {@link generateRows}, as a source. `noun` names the place of a row, as in `user 7`. */
export function generatedRows(noun: string, options: GeneratedOptions): RowSource {
  let position = 0;
  async function* rows() {
    for await (const row of generateRows(options)) {
      position = row.line;
      yield row;
    }
  }
  return {
    rows: rows(),
    place: (line) => `${noun} ${line}`,
    extent: { size: options.count, position: () => position, rows: options.count },
  };
}

/** Yields `count` rows with what is usual in Mexico. */
export async function* generateRows(
  { invent, count, seed }: GeneratedOptions,
): AsyncGenerator<FilledRow> {
  // n.b. loaded here alone: the lists of names would slow the start of every other use.
  const { faker } = await import("@faker-js/faker/locale/es_MX");
  faker.seed(seed);
  for (let line = 1; line <= count; line++) yield { line, fields: invent(faker, line) };
}
