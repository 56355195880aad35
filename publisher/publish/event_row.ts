/** Where a row becomes an event, and is judged: by the event's contract, and nowhere else. */
import { InvalidMessageError } from "@ecomarket/shared/base/errors";
import { type AnyEvent, EVENTS, type EventType } from "@ecomarket/shared/contract/catalogue";
import type { EventDefinition } from "@ecomarket/shared/contract/event";
import { formOf } from "./events/event_forms.ts";
import { type RejectedRow, type RowSource, type SourceRow, withEnd } from "./sources/source_row.ts";

/** A row as the event that it tells of, or why it is none. */
export type EventRow = { readonly line: number; readonly event: AnyEvent } | RejectedRow;

/** `row` as a new event of `type`. */
export function eventRow(type: EventType, row: SourceRow): EventRow {
  if ("problem" in row) return row;
  const definition = EVENTS[type] as unknown as EventDefinition;
  try {
    const event = definition.create(formOf(type).toFields(row.fields));
    return { line: row.line, event: event as unknown as AnyEvent };
  } catch (error) {
    if (!(error instanceof InvalidMessageError)) throw error;
    return { line: row.line, problem: withEnd(error.message, row) };
  }
}

/** {@link RowSource}, its rows as events. */
export interface EventSource extends Omit<RowSource, "rows"> {
  readonly rows: AsyncIterable<EventRow>;
}

/** Each row of `source` as a new event of `type`, as it is read. */
export function asEvents(type: EventType, source: RowSource): EventSource {
  async function* rows() {
    for await (const row of source.rows) yield eventRow(type, row);
  }
  return { ...source, rows: rows() };
}
