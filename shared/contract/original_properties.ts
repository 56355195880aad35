/**
 * The properties of a message that goes on without them, in a form that can always be written: bytes,
 * of which nothing is interpreted on the way.
 *
 * n.b. they are what amqplib read, not what was on the wire: it decodes a frame before anybody sees
 * it, and keeps no byte of it (`decodeFrame()` in `frame.js`, `decodeBasicProperties()` in
 * `defs.js`, @2.3.1). What was not UTF-8 is U+FFFD for good; an integer above 2^53 is rounded.
 */
import { Buffer } from "node:buffer";
import type { MessageProperties } from "amqplib";

/**
 * Bytes of JSON for properties and headers. With the names of what was cut, and with our own headers,
 * the header table stays below the 64 KiB that amqplib writes (`SCRATCH` in `defs.js`@2.3.1).
 */
const MAX_BYTES = 40 * 1024;

/** Names of headers that were cut, and characters of each, that are told. */
const MAX_NAMES = 20;
const MAX_NAME = 64;

/**
 * `{"properties", "headers"}` as JSON in UTF-8. Headers that are too large or nested too deeply are
 * left out, and `cut` says how many they are and names the first.
 */
export function originalProperties({ headers, ...properties }: MessageProperties): Buffer {
  const propertiesText = JSON.stringify(properties);
  let room = MAX_BYTES - Buffer.byteLength(propertiesText);
  const kept: string[] = [];
  const cut: string[] = [];
  for (const [name, value] of Object.entries(headers ?? {})) {
    const text = member(name, value);
    const size = text === undefined ? Infinity : Buffer.byteLength(text) + 1;
    if (text === undefined || size > room) {
      cut.push(name);
      continue;
    }
    kept.push(text);
    room -= size;
  }
  const names = cut.slice(0, MAX_NAMES).map((name) => name.slice(0, MAX_NAME).toWellFormed());
  const cutText = cut.length > 0 ? `,"cut":${JSON.stringify({ headers: cut.length, names })}` : "";
  return Buffer.from(`{"properties":${propertiesText},"headers":{${kept.join()}}${cutText}}`);
}

/** `headers` as JSON, whatever is in them: what is nested too deeply is `{"cut":"nested too deeply"}`. */
export function headersAsJson(headers: Readonly<Record<string, unknown>>): string {
  const members = Object.entries(headers).map(([name, value]) =>
    member(name, value) ?? member(name, { cut: "nested too deeply" })
  );
  return `{${members.join()}}`;
}

/**
 * One member of a JSON object; `undefined` where `value` is nested more deeply than the stack allows.
 *
 * n.b. amqplib's decoder may read what `JSON.stringify` cannot write: that needs the more stack, the
 * more it has to look at (bytes are enough, which have a `toJSON()`).
 */
function member(name: string, value: unknown): string | undefined {
  try {
    return `${JSON.stringify(name)}:${JSON.stringify(value) ?? "null"}`;
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return undefined;
  }
}
