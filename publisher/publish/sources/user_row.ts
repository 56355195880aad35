/** What every source of users yields, whatever it reads: a user, or what is wrong with a row. */
import { EcoMarketError } from "@ecomarket/shared/base/errors";
import { userIdSchema } from "@ecomarket/shared/contract/fields";
import { describeIssues } from "@ecomarket/shared/contract/issues";
import { type NewUser, newUserSchema } from "@ecomarket/shared/contract/usuario_creado";

/** One row of a source. `line` is where it begins, from 1; for what was read from no file, its number. */
export type UserRow = { readonly line: number; readonly user: NewUser } | RejectedRow;

/** A row that is no user, and why. */
export interface RejectedRow {
  readonly line: number;
  readonly problem: string;
}

/** Users to be announced, wherever they come from. */
export interface UserSource {
  readonly rows: AsyncIterable<UserRow>;
  /** Names the place of a row for a person, such as `line 12`. */
  readonly place: (line: number) => string;
  /** How much there is; absent where nobody knows before the end. */
  readonly extent?: Extent;
}

/** How much there is to read, in any unit. */
export interface Extent {
  readonly size: number;
  /** How much of `size` was read. */
  readonly position: () => number;
  /** How many rows that is, roughly. */
  readonly rows: number;
}

/** A file of users is missing, unreadable, or not what it should be. */
export class SourceError extends EcoMarketError {
  override readonly code = "USERS_FILE";
  override readonly exitCode = 2;
}

const rowSchema = newUserSchema.extend({ user_id: userIdSchema.optional() });

/**
 * The row at `line` with these fields, judged by the event's contract. `name` is understood for
 * `nombre`, and `id` for `user_id`, also as a number. An empty id counts as none; unknown fields are
 * ignored.
 */
export function userRow(line: number, fields: Readonly<Record<string, unknown>>): UserRow {
  const parsed = rowSchema.safeParse({
    nombre: fields.nombre ?? fields.name,
    email: fields.email,
    user_id: idOf(fields.user_id ?? fields.id),
  }, { reportInput: true });
  return parsed.success
    ? { line, user: parsed.data }
    : { line, problem: describeIssues(parsed.error) };
}

function idOf(value: unknown): unknown {
  if (Number.isSafeInteger(value)) return String(value);
  if (typeof value !== "string") return value ?? undefined;
  return value.trim() === "" ? undefined : value.trim();
}
