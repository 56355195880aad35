/** Rows of users as the events that they become, without what differs each time. */
import assert from "node:assert/strict";
import { eventRow } from "../../publisher/publish/event_row.ts";
import type { RejectedRow, SourceRow } from "../../publisher/publish/sources/source_row.ts";

/** A row as a test expects it. */
export type UserRow = { readonly line: number; readonly user: Readonly<User> } | RejectedRow;

interface User {
  nombre: string;
  email: string;
  user_id: string;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Each of `rows` judged as a user. A random id is shown as `(random)`. */
export async function userRows(rows: AsyncIterable<SourceRow>): Promise<UserRow[]> {
  return (await Array.fromAsync(rows)).map((source) => {
    const row = eventRow("UsuarioCreado", source);
    if ("problem" in row) return row;
    assert.ok(row.event.event_type === "UsuarioCreado");
    const { nombre, email, user_id } = row.event;
    return {
      line: row.line,
      user: { nombre, email, user_id: UUID.test(user_id) ? "(random)" : user_id },
    };
  });
}
