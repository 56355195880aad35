/** Another program, run to its end in bounded time. */
import assert from "node:assert/strict";
import { IS_WINDOWS } from "@ecomarket/shared/process/platform";
import { runProgram } from "../../setup/machine/run_program.ts";

const ignore = IS_WINDOWS;
const sh = (script: string, timeoutMs: number) => runProgram("sh", ["-c", script], { timeoutMs });

Deno.test({
  name: "runProgram() collects what a program prints, apart and together",
  ignore,
  fn: async () => {
    const result = await sh("echo uno; echo dos >&2; exit 3", 10_000);
    assert.deepEqual(result, { success: false, stdout: "uno\n", output: "uno\ndos" });
  },
});

Deno.test("runProgram() tells a program that is not there from one that fails", async () => {
  assert.equal(await runProgram("/nowhere/program", [], { timeoutMs: 10_000 }), undefined);
});

Deno.test({
  name: "runProgram() ends a program that takes too long, and waits for no child of it",
  ignore,
  fn: async () => {
    const startedAt = performance.now();
    const result = await sh("sleep 60 & echo $!; wait", 300);
    const tookMs = performance.now() - startedAt;
    const [child, overdue] = result!.output.split("\n");
    Deno.kill(Number(child), "SIGKILL");
    assert.equal(result!.success, false);
    assert.equal(overdue, "sh did not end within 0.3 s");
    assert.ok(tookMs < 30_000);
  },
});
