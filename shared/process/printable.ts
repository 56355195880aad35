/** What came from the wire, made fit for a terminal: a hostile message must not drive it. */

/**
 * Control characters, also those that some terminals obey beyond ASCII (C1); line breaks of Unicode; and
 * those that cannot be seen, or turn the direction of text.
 */
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** `text` in one line, each character in it that is no plain text as `\u001b`. */
export function printable(text: string): string {
  return text.toWellFormed().replaceAll(UNPRINTABLE, escaped);
}

/** `text` in its own lines, each of them {@link printable}. */
export function printableLines(text: string): string[] {
  return text.split(/\r?\n/).map(printable);
}

/** `value` as JSON in one line that a terminal may show. It is still the same JSON. */
export function printableJson(value: unknown): string {
  return printable(JSON.stringify(value));
}

/** {@link printable} `text`, at most `width` characters of it. */
export function shortened(text: string, width: number): string {
  const characters = [...printable(text)];
  if (characters.length <= width) return characters.join("");
  return `${characters.slice(0, width - 1).join("")}…`;
}

/** n.b. by UTF-16 units, as JSON writes them. */
function escaped(character: string): string {
  return character.split("").map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`)
    .join("");
}
