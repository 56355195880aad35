/** What is answered as JSON: it may quote what somebody else wrote, and is read in terminals. */
import { printableJson } from "../process/printable.ts";

/** `value` as JSON without a character that drives a terminal; it is the same JSON. */
export function jsonAnswer(
  value: unknown,
  status = 200,
  headers: Readonly<Record<string, string>> = {},
): Response {
  return new Response(printableJson(value), {
    status,
    headers: { "Content-Type": "application/json", ...headers },
  });
}
