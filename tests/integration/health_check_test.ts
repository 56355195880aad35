/** The health check of a container: what it says of a role, by its exit code. */
import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { runDeno } from "../../testbed/project/run_deno.ts";

/** Runs the check as a container does, with a proxy configured that nothing answers at. */
function check(port: number): Promise<{ readonly code: number; readonly stdout: string }> {
  const address = `127.0.0.1:${port}`;
  const script = ["shared/health/check.ts", `http://${address}/readyz`];
  return runDeno(["run", "-q", "--no-prompt", `--allow-net=${address}`, ...script], {
    HTTP_PROXY: "http://127.0.0.1:1",
  });
}

Deno.test("check.ts ends with 0 for a 200 alone, and prints what it was told, whatever proxy is set", async () => {
  const statuses = [200, 503];
  const server = createServer((_, response) => response.writeHead(statuses.shift()!).end("told"));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  try {
    assert.deepEqual(await outcome(port), { code: 0, stdout: "told\n" });
    assert.deepEqual(await outcome(port), { code: 1, stdout: "told\n" });
  } finally {
    server.close();
    server.closeAllConnections();
    await once(server, "close");
  }
  assert.deepEqual(await outcome(port), { code: 1, stdout: "" });
});

async function outcome(port: number) {
  const { code, stdout } = await check(port);
  return { code, stdout };
}
