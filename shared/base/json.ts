/** JSON that somebody else wrote, parsed within a limit of depth. */

/**
 * Objects and lists in each other: an event needs four. n.b. V8 parses any depth, and overflows its
 * stack where something deep is written again, compared or copied: so it is refused before.
 */
export const MAX_JSON_DEPTH = 64;

/** JSON that is nested more deeply than {@link MAX_JSON_DEPTH}. Its message follows the name of what is. */
export class JsonDepthError extends Error {}

/**
 * The value of `text`.
 *
 * @throws {JsonDepthError} when it is nested more deeply than {@link MAX_JSON_DEPTH}.
 * @throws {SyntaxError} when it is no JSON.
 */
export function parseJson(text: string): unknown {
  if (isTooDeep(text)) {
    throw new JsonDepthError(`is nested more deeply than ${MAX_JSON_DEPTH} objects and lists`);
  }
  return JSON.parse(text);
}

const [QUOTE, BACKSLASH] = [0x22, 0x5c];
const [OPEN_LIST, CLOSE_LIST, OPEN_OBJECT, CLOSE_OBJECT] = [0x5b, 0x5d, 0x7b, 0x7d];

/** n.b. a loop over units: each event passes here, and a regular expression costs three times as much. */
function isTooDeep(text: string): boolean {
  let depth = 0;
  let isInString = false;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (isInString) {
      if (unit === BACKSLASH) at++;
      else if (unit === QUOTE) isInString = false;
    } else if (unit === QUOTE) isInString = true;
    else if (unit === OPEN_OBJECT || unit === OPEN_LIST) {
      if (++depth > MAX_JSON_DEPTH) return true;
    } else if (unit === CLOSE_OBJECT || unit === CLOSE_LIST) depth--;
  }
  return false;
}
