/** Headers that are nested as deep as one likes, as the bytes that go on the wire. */
import { Buffer } from "node:buffer";
import { headerTable, shortString } from "./raw_amqp.ts";

/**
 * So many arrays in each other overflow amqplib's decoder, which calls itself for each, before any
 * code of ours sees the message (`codec.js:277@2.3.1`): 60 kB.
 */
export const UNDECODABLE_DEPTH = 12_000;

/** A header table of arrays in arrays, `depth` of them: five bytes each. */
export function nestedArrays(depth: number): Buffer {
  return headerTable("deep", "A", nested(depth, "A", Buffer.alloc(0)));
}

/** A header table of tables in tables, `depth` of them: seven bytes each. */
export function nestedTables(depth: number): Buffer {
  return headerTable("deep", "F", nested(depth, "F", shortString("a")));
}

/** From the first level's length on: its letter is the header's. */
function nested(depth: number, letter: string, key: Buffer): Buffer {
  const levelLength = key.length + letter.length + 4;
  const levels = Array.from({ length: depth }, (_, level) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE((depth - 1 - level) * levelLength);
    const isInnermost = level === depth - 1;
    return isInnermost ? length : Buffer.concat([length, key, Buffer.from(letter)]);
  });
  return Buffer.concat(levels);
}
