/** What leaves together: the frames of a socket, and the lines of a log. */
import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { setImmediate as nextTurn } from "node:timers/promises";
import { Writable } from "node:stream";
import { gatherWrites } from "../../shared/broker/gathered_writes.ts";
import { GatheredOutput } from "../../shared/process/gathered_output.ts";

Deno.test("gatherWrites() passes on what is written at once in one piece, in its order", async () => {
  const pieces: string[] = [];
  const socket = new Writable({
    writev(chunks, done) {
      pieces.push(chunks.map(({ chunk }) => String(chunk)).join(""));
      done();
    },
    write(chunk, _encoding, done) {
      pieces.push(String(chunk));
      done();
    },
  });
  gatherWrites(socket as Socket);
  for (const text of ["a", "b", "c"]) socket.write(text);
  assert.deepEqual(pieces, []);
  await nextTurn();
  assert.deepEqual(pieces, ["abc"]);
  socket.write("d");
  await nextTurn();
  assert.deepEqual(pieces, ["abc", "d"]);
});

Deno.test("gatherWrites() loses nothing where the socket is ended in the same turn", async () => {
  const pieces: string[] = [];
  const socket = new Writable({
    write(chunk, _encoding, done) {
      pieces.push(String(chunk));
      done();
    },
  });
  gatherWrites(socket as Socket);
  for (const text of ["a", "b"]) socket.write(text);
  socket.end("c");
  await nextTurn();
  assert.equal(pieces.join(""), "abc");
});

/** A file that keeps what it is given, call by call. */
function file() {
  const calls: string[] = [];
  const writeSync = (bytes: Uint8Array) =>
    calls.push(new TextDecoder().decode(bytes)) && bytes.length;
  return { calls, writeSync };
}

Deno.test("GatheredOutput writes the lines of one turn in one call", async () => {
  const target = file();
  const output = new GatheredOutput(target);
  output.write("1\n", false);
  output.write("2\n", false);
  assert.deepEqual(target.calls, []);
  await nextTurn();
  assert.deepEqual(target.calls, ["1\n2\n"]);
});

Deno.test("GatheredOutput writes what is urgent at once, behind all before it", () => {
  const target = file();
  const output = new GatheredOutput(target);
  output.write("1\n", false);
  output.write("warning\n", true);
  assert.deepEqual(target.calls, ["1\nwarning\n"]);
});

Deno.test("GatheredOutput keeps no more than a bounded number of lines", () => {
  const target = file();
  const output = new GatheredOutput(target);
  for (let n = 0; n < 10; n++) output.write("x".repeat(10_000), false);
  assert.ok(target.calls.length > 0);
});

Deno.test("GatheredOutput goes on where nobody reads any more", () => {
  const output = new GatheredOutput({
    writeSync() {
      throw new Deno.errors.BrokenPipe();
    },
  });
  output.write("1\n", true);
});
