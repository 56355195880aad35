/**
 * As much of AMQP 0-9-1 as it takes to put a frame between two others: where frames end, and which
 * method they carry ({@link https://www.rabbitmq.com/resources/specs/amqp0-9-1.pdf}, 2.3.5).
 */

/** Answers of the broker on the way to the end of a role's set-up: class and method. */
const REPLIES = {
  "exchange.declare-ok": [40, 11],
  "confirm.select-ok": [85, 11],
  "basic.consume-ok": [60, 21],
} as const;

/** An answer of the broker on the way to the end of a role's set-up. */
export type SetUpReply = keyof typeof REPLIES;

const METHOD_FRAME = 1;
const FRAME_END = 0xce;
/** Type, channel, size. */
const HEADER_BYTES = 7;
/** The header, and the class and the method of a method frame. */
const HEAD_BYTES = HEADER_BYTES + 4;

/** Follows one direction of a connection, in chunks of any size, from its first byte. */
export class FrameTracker {
  #head: number[] = [];
  /** What is still to come of the current frame, once its header is known. */
  #left = 0;

  /** Where in `chunk` each frame ends that carries `reply`. To be called with every chunk. */
  endsOf(reply: SetUpReply | undefined, chunk: Uint8Array): number[] {
    const ends: number[] = [];
    for (let at = 0; at < chunk.length;) {
      if (this.#head.length < HEADER_BYTES) {
        this.#head.push(chunk[at++]!);
        if (this.#head.length === HEADER_BYTES) this.#left = uint32(this.#head.slice(3)) + 1;
        continue;
      }
      const taken = chunk.subarray(at, at + this.#left);
      this.#head.push(...taken.subarray(0, HEAD_BYTES - this.#head.length));
      at += taken.length;
      this.#left -= taken.length;
      if (this.#left > 0) continue;
      if (reply && this.#carries(reply)) ends.push(at);
      this.#head = [];
    }
    return ends;
  }

  #carries(reply: SetUpReply): boolean {
    const [type, , , , , , , ...classAndMethod] = this.#head;
    const [classId, methodId] = REPLIES[reply];
    return type === METHOD_FRAME && uint32(classAndMethod) === classId * 2 ** 16 + methodId;
  }
}

/** Why the broker closes a connection: `CONNECTION_FORCED`, `INTERNAL_ERROR`. */
export type CloseCode = 320 | 541;

/** The frame by which the broker closes a connection: `connection.close`. */
export function forcedClose(code: CloseCode = 320): Uint8Array {
  const text = new TextEncoder().encode("closed by the test");
  const payload = [0, 10, 0, 50, code >> 8, code & 0xff, text.length, ...text, 0, 0, 0, 0];
  return Uint8Array.from([METHOD_FRAME, 0, 0, 0, 0, 0, payload.length, ...payload, FRAME_END]);
}

/** The name that a client gives its connection, where `chunk` says so (`connection.start-ok`). */
export function connectionName(chunk: Uint8Array): string | undefined {
  const text = new TextDecoder("latin1").decode(chunk);
  const found = /connection_nameS([^]{4})/.exec(text);
  if (!found) return undefined;
  const start = found.index + found[0].length;
  const length = uint32([...found[1]!].map((byte) => byte.charCodeAt(0)));
  return text.slice(start, start + length);
}

function uint32(bytes: readonly number[]): number {
  return bytes.slice(0, 4).reduce((number, byte) => number * 256 + byte, 0);
}
