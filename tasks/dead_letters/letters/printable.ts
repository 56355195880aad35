/** What came from the wire, made fit for a terminal: a hostile message must not drive it. */

/**
 * Control characters, also those that some terminals obey beyond ASCII (C1), line breaks of Unicode,
 * and those that turn the direction of text or cannot be seen.
 */
// deno-lint-ignore no-control-regex -- they are what is looked for
const UNPRINTABLE =
  /[\u0000-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

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

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
