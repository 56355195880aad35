/** A consumer that is killed again and again while its mail server comes and goes. */
import assert from "node:assert/strict";
import { CONSUMERS, roleSpec } from "@ecomarket/testbed/processes/roles";
import { SandboxedProcess } from "@ecomarket/testbed/processes/sandboxed_process";
import { signups } from "@ecomarket/testbed/events/signups";
import { Bench, TEST_DELAYS_MS } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { assertEffects, publishAll } from "../support/roles.ts";
import { startSmtpServer } from "../support/smtp_server.ts";

const broker = brokerOfFile();

const EVENTS = 300;
/** n.b. above the delivery limit: were an event in hand at each, it would be dead-lettered. */
const KILLS = 6;

Deno.test(`after ${KILLS} kills while the mail server is away, no dead letter, and every email was sent`, async () => {
  await using bench = await Bench.open(broker);
  const server = await startSmtpServer();
  await using up = new AsyncDisposableStack();
  up.use(server);
  const start = (state: string) => {
    const isSo = Promise.withResolvers<void>();
    const process = new SandboxedProcess(roleSpec(CONSUMERS.email, {
      amqpUrls: [bench.amqpUrl],
      dataDir: bench.directory,
      env: {
        RETRY_DELAYS_MS: TEST_DELAYS_MS.join(","),
        SMTP_URL: `smtp://127.0.0.1:${server.port}`,
      },
      onRecord: (record) => record.state === state && isSo.resolve(),
    }));
    bench.cleanup.use(process);
    return { process, isSo: isSo.promise };
  };
  const events = signups(EVENTS);
  const first = start("paused");
  await first.process.ready;
  await publishAll(bench, events);
  await eventually(() => assert.ok(server.received.length > 20, "it sends"));
  await server[Symbol.asyncDispose]();
  await first.isSo;
  await first.process.kill();
  for (let n = 1; n < KILLS; n++) {
    const { process, isSo } = start("paused");
    await isSo;
    await process.kill();
  }
  assert.ok(server.received.length < EVENTS, "the server went away in the middle");

  await using back = await startSmtpServer({ port: server.port });
  await start("consuming").isSo;
  await eventually(() => assertEffects(bench, "email", events), 60_000);
  const sent = new Set(
    [...server.received, ...back.received].map(({ headers }) => headers.get("message-id")),
  );
  assert.equal(sent.size, EVENTS, "each has one Message-ID, however often it was sent");
  const retries = TEST_DELAYS_MS.map((delayMs) => `email_queue.retry.${delayMs}`);
  await eventually(() => bench.assertEmpty("email_queue", "dead_letter_queue", ...retries));
});
