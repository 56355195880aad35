/** Rows from JSON Lines: one JSON object a line. */
import { JsonDepthError, parseJson } from "@ecomarket/shared/base/json";
import type { TextLine } from "@ecomarket/shared/process/text_lines";
import type { Body } from "@ecomarket/shared/contract/message";
import type { SourceRow } from "./source_row.ts";

/** Yields a row for each line that is not blank. A line that is no object ends nothing: it is a problem. */
export async function* readJsonl(
  lines: AsyncIterable<readonly TextLine[]>,
): AsyncGenerator<SourceRow> {
  for await (const chunk of lines) {
    for (const line of chunk) {
      if (line.problem !== undefined || line.text.trim() !== "") yield jsonRow(line);
    }
  }
}

function jsonRow({ line, text, problem }: TextLine): SourceRow {
  if (problem !== undefined) return { line, problem };
  let value: unknown;
  try {
    value = parseJson(text);
  } catch (error) {
    if (error instanceof JsonDepthError) return { line, problem: error.message };
    return { line, problem: "is not valid JSON" };
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    return { line, problem: "is not a JSON object" };
  }
  return { line, fields: value as Body };
}
