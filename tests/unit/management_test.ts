/** The client of the management API, before a server that answers as a broker might. */
import assert from "node:assert/strict";
import { z } from "zod";
import { BrokerUnreachableError } from "@ecomarket/shared/base/errors";
import { ManagementClient } from "@ecomarket/shared/broker/management";

/** Answers with each of `statuses`, one after the other, and then with the last one for ever. */
function serverAnswering(...statuses: number[]) {
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen: () => {} }, () => {
    const status = statuses.length > 1 ? statuses.shift()! : statuses[0]!;
    return Response.json(status === 200 ? ["colas"] : { error: "roto" }, { status });
  });
  return {
    client: new ManagementClient(`http://ana:secreto@127.0.0.1:${server.addr.port}`),
    left: statuses,
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

const schema = z.array(z.string());

Deno.test("ManagementClient.get() asks again where the API answers 500 for a moment", async () => {
  await using server = serverAnswering(500, 500, 200);
  assert.deepEqual(await server.client.get("queues", schema), ["colas"]);
});

Deno.test("ManagementClient.get() gives up a 500 that stays, in bounded time, and tells no password", async () => {
  await using server = serverAnswering(500);
  await assert.rejects(server.client.get("queues", schema), (error) => {
    assert.ok(error instanceof BrokerUnreachableError);
    assert.match(error.message, /GET \/api\/queues answered 500/);
    assert.doesNotMatch(error.message, /secreto/);
    return true;
  });
});

Deno.test("ManagementClient.get() does not ask again what it may not know", async () => {
  await using server = serverAnswering(401, 200);
  await assert.rejects(server.client.get("queues", schema), /answered 401/);
  assert.deepEqual(server.left, [200]);
});

/** A server that answers everything with `body`. */
function serverSaying(body: () => BodyInit) {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response(body()),
  );
  return {
    client: new ManagementClient(`http://ana:secreto@127.0.0.1:${server.addr.port}`),
    [Symbol.asyncDispose]: () => server.shutdown(),
  };
}

for (
  const [what, body, told] of [
    ["no JSON", () => "<html>\u001b[2J", /cannot be read: .*JSON/],
    ["another JSON", () => '["a", 1]', /cannot be read: 1 Invalid input/],
    ["JSON that is nested too deeply", () => "[".repeat(1e6), /is nested more deeply than 64/],
    ["an endless answer", endless, /its answer has over 33554432 bytes/],
  ] as const
) {
  Deno.test(`ManagementClient.get() tells ${what} by its path, and with its next step`, async () => {
    await using server = serverSaying(body);
    await assert.rejects(server.client.get("queues", schema), (error) => {
      assert.ok(error instanceof BrokerUnreachableError, String(error));
      assert.match(error.message, told);
      assert.match(error.message, /Set MANAGEMENT_URL/);
      assert.doesNotMatch(error.message, /secreto/);
      return true;
    });
  });
}

function endless(): ReadableStream<Uint8Array> {
  const chunk = new Uint8Array(1024 * 1024);
  return new ReadableStream({ pull: (controller) => controller.enqueue(chunk) });
}
