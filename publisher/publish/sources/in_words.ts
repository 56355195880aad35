/** Names in a sentence. */

/** Such as `nombre and email`, or `user_id, total and items`. */
export function inWords(names: readonly string[]): string {
  if (names.length < 2) return names.join("");
  return `${names.slice(0, -1).join(", ")} and ${names.at(-1)}`;
}
