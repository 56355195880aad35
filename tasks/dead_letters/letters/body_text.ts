/** A body as a person reads it. */
import { parseJson } from "@ecomarket/shared/base/json";
import { printableLines } from "@ecomarket/shared/process/printable";

/** Characters of a body that are shown, where not all of it is asked for. */
export const MAX_BODY_CHARACTERS = 4_000;

const strict = new TextDecoder("utf-8", { fatal: true });

/** The text of `body`, or `undefined` where it is none. */
export function textOf(body: Uint8Array): string | undefined {
  try {
    return strict.decode(body);
  } catch {
    return undefined;
  }
}

/**
 * `body` in printable lines: JSON with its fields below each other, other text (and what is nested too
 * deeply to be indented) as it is, bytes as
 * hexadecimal digits. Longer than `maxCharacters`, it is cut, and the last line says so.
 */
export function bodyLines(body: Uint8Array, maxCharacters: number): string[] {
  const text = textOf(body);
  const whole = text === undefined ? body.toHex() : pretty(text);
  const cut = whole.length > maxCharacters;
  const lines = printableLines(cut ? whole.slice(0, maxCharacters) : whole);
  return cut ? [...lines, `… (cut: ${body.length} bytes in all, --full shows them)`] : lines;
}

function pretty(text: string): string {
  try {
    return JSON.stringify(parseJson(text), undefined, 2);
  } catch {
    return text;
  }
}
