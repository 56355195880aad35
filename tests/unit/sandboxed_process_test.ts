/** One process of ours, as a child: when it is ready, what it says and is told, and how it ends. */
import assert from "node:assert/strict";
import { LateError } from "@ecomarket/shared/base/poll";
import type { LogRecord } from "@ecomarket/testbed/processes/log_record";
import type { ProcessSpec } from "@ecomarket/testbed/processes/process_spec";
import { ProcessError, SandboxedProcess } from "@ecomarket/testbed/processes/sandboxed_process";
import { temporaryFolder } from "../support/temporary_folder.ts";

async function spec(more: Partial<ProcessSpec> = {}) {
  const folder = await temporaryFolder();
  return {
    name: "echo",
    script: "tests/support/echo.ts",
    permissionSet: "echo",
    folder: folder.path,
    ...more,
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

Deno.test("SandboxedProcess is ready once its log says so, hears what it is told, and answers", async () => {
  const records: LogRecord[] = [];
  await using echo = await spec({ onRecord: (record) => records.push(record) });
  await using process = await SandboxedProcess.startReady(echo);
  assert.equal(await process.url, "http://127.0.0.1:1");
  assert.deepEqual(records.map(({ message }) => message), ["Listening"]);
  const heard = process.said("two");
  await process.tell("one");
  await process.tell("two");
  await heard;
  await process.said("one");
  assert.deepEqual(process.lines, ["one", "two"]);
  assert.equal((await process.kill()).signal, "SIGKILL");
});

Deno.test("SandboxedProcess.said() is told of an end and of a line that is late", async () => {
  await using echo = await spec();
  await using process = await SandboxedProcess.startReady(echo);
  await assert.rejects(process.said("never", 1), LateError);
  const waiting = assert.rejects(process.said("never"), ProcessError);
  await process.tell("end");
  assert.equal((await process.status).code, 3);
  await waiting;
  await assert.rejects(process.said("never"), {
    name: "ProcessError",
    message: "echo ended (3). neither a record nor a secret",
  });
});

Deno.test("SandboxedProcess.startReady() says why a process that ends is not ready", async () => {
  await using echo = await spec({ script: "tests/support/nowhere.ts" });
  await assert.rejects(SandboxedProcess.startReady(echo), (error) => {
    assert.ok(error instanceof ProcessError);
    assert.match(error.message, /^echo ended \(1\)\. .*Module not found.*nowhere\.ts/);
    return true;
  });
});

Deno.test("SandboxedProcess is ready once its URL answers 200, where it has one", async () => {
  let asked = 0;
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    return new Response(null, { status: ++asked < 3 ? 503 : 200 });
  });
  const origin = `http://127.0.0.1:${server.addr.port}`;
  await using echo = await spec({ readyUrl: `${origin}/readyz` });
  await using process = new SandboxedProcess(echo);
  await process.ready;
  assert.ok(asked >= 3, `asked ${asked} times`);
});
