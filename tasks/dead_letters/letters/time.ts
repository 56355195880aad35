/** Times as a person reads them. */

/** `2026-11-24 17:10` of a time in ISO 8601 and UTC; anything else as it is. */
export function shortTime(iso: string): string {
  return /^\d{4}-\d\d-\d\dT\d\d:\d\d/.test(iso) ? iso.slice(0, 16).replace("T", " ") : iso;
}
