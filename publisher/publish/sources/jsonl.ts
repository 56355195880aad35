/** Users from JSON Lines: one JSON object a line. */
import type { TextLine } from "@ecomarket/shared/process/text_lines";
import { type UserRow, userRow } from "./user_row.ts";

/** Yields a row for each line that is not blank. A line that is no user ends nothing: it is a problem. */
export async function* readJsonlUsers(
  lines: AsyncIterable<readonly TextLine[]>,
): AsyncGenerator<UserRow> {
  for await (const chunk of lines) {
    for (const line of chunk) {
      if (line.problem !== undefined || line.text.trim() !== "") yield jsonRow(line);
    }
  }
}

function jsonRow({ line, text, problem }: TextLine): UserRow {
  if (problem !== undefined) return { line, problem };
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { line, problem: "is not valid JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { line, problem: "is not a JSON object" };
  }
  return userRow(line, value as Record<string, unknown>);
}
