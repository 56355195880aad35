import assert from "node:assert/strict";
import { connectionName, forcedClose, FrameTracker } from "../../testbed/broker/amqp_frames.ts";

function frame(type: number, ...payload: number[]): number[] {
  return [type, 0, 1, 0, 0, 0, payload.length, ...payload, 0xce];
}

const HEARTBEAT = frame(8);
const CONSUME_OK = frame(1, 0, 60, 0, 21, 1, 0x61);
/** A body whose bytes look like the method. */
const BODY = frame(3, 0, 60, 0, 21, 0xce, 1, 0, 1);
const STREAM = Uint8Array.from([
  ...BODY,
  ...CONSUME_OK,
  ...HEARTBEAT,
  ...forcedClose(),
  ...CONSUME_OK,
]);
const ENDS = [BODY.length + CONSUME_OK.length, STREAM.length];

for (const size of [1, 7, STREAM.length]) {
  Deno.test(`FrameTracker.endsOf() finds where an answer ends, ${size} bytes at a time`, () => {
    const tracker = new FrameTracker();
    const found: number[] = [];
    for (let at = 0; at < STREAM.length; at += size) {
      const chunk = STREAM.subarray(at, at + size);
      found.push(...tracker.endsOf("basic.consume-ok", chunk).map((end) => at + end));
    }
    assert.deepEqual(found, ENDS);
  });
}

Deno.test("connectionName() reads the name out of a client's properties, and nothing elsewhere", () => {
  const bytes = new TextEncoder().encode("…connection_nameS\0\0\0\x0fecomarket emailF");
  assert.equal(connectionName(bytes), "ecomarket email");
  assert.equal(connectionName(STREAM), undefined);
});
