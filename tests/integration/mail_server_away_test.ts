/** A mail server that is away, or lets nobody in: a pause of its subscriber, and no fault of an event. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { encode } from "@ecomarket/shared/contract/catalogue";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import type { Pause } from "@ecomarket/shared/store/pauses";
import type { Dependency } from "@ecomarket/shared/subscriber";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { CONSUMERS } from "@ecomarket/testbed/processes/roles";
import { pauseOf } from "@ecomarket/testbed/stores/pauses";
import { lockStore } from "@ecomarket/testbed/stores/store_lock";
import { analytics } from "../../consumers/analytics.ts";
import { emailConsumer } from "../../consumers/email.ts";
import { smtpMailer } from "../../consumers/smtp_mailer.ts";
import { Bench, recordingConsumer, TEST_DELAYS_MS } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { eventIds, startConsumer } from "../support/roles.ts";
import { type SmtpTestServer, startSmtpServer } from "../support/smtp_server.ts";

const broker = brokerOfFile();

const RETRY_QUEUES = TEST_DELAYS_MS.map((delayMs) => `email_queue.retry.${delayMs}`);
/** A pause that has lasted longer has outlasted every retry. */
const ALL_RETRIES_MS = TEST_DELAYS_MS.reduce((sum, delayMs) => sum + delayMs, 0);

/** Publishes an event for each of `names`. @returns their ids, in order. */
function publish(bench: Bench, ...names: readonly string[]): string[] {
  return names.map((name) => {
    const event = createUsuarioCreado({ nombre: name, email: `${name}@example.com` });
    const { content, options } = encode(event);
    bench.publishRaw(content.toString(), options);
    return event.event_id;
  }).sort();
}

const emailPause = (bench: Bench) => pauseOf("email", (name) => join(bench.directory, name));

/** Waits until email rests with `waiting` events in its queue, for longer than all retries take. */
function untilPaused(bench: Bench, waiting: number): Promise<Pause> {
  return eventually(async () => {
    const pause = emailPause(bench);
    assert.ok(pause, "a pause is noted");
    assert.ok(pause.probedAt.getTime() - pause.since.getTime() > ALL_RETRIES_MS);
    const { ready, consumers } = await bench.status("email_queue");
    assert.deepEqual({ ready, consumers }, { ready: waiting, consumers: 0 });
    await bench.assertEmpty("dead_letter_queue", ...RETRY_QUEUES);
    return pause;
  });
}

/** Demands that each of `ids`, and nothing else, is sent and noted once, and nothing waits. */
async function assertSentOnce(
  bench: Bench,
  servers: readonly SmtpTestServer[],
  ids: readonly string[],
): Promise<void> {
  await eventually(() =>
    assert.deepEqual(eventIds(bench, "email", "sent_emails"), [...ids].sort())
  );
  const received = servers.flatMap((server) => server.received)
    .map(({ headers }) => headers.get("message-id")).sort();
  assert.deepEqual(received, ids.map((id) => `<${id}@ecomarket.example>`).sort());
  await eventually(() => bench.assertEmpty("email_queue", "dead_letter_queue", ...RETRY_QUEUES));
}

/** A dependency that is there or away as a test wants it. */
function switchable(): Dependency & { isAway: boolean; readonly checks: () => number } {
  let checks = 0;
  return {
    name: "the server",
    isAway: false,
    checks: () => checks,
    check() {
      checks++;
      return this.isAway ? Promise.reject(new Error("caído")) : Promise.resolve();
    },
  };
}

Deno.test("a mail server that is away for longer than all retries makes no dead letter, and every email is sent once", async () => {
  await using bench = await Bench.open(broker);
  const before = await startSmtpServer();
  await using up = new AsyncDisposableStack();
  up.use(before);
  const { port } = before;
  await using _email = bench.run(emailConsumer(smtpMailer(`smtp://127.0.0.1:${port}`)));
  await using _sibling = bench.run(analytics);
  const ids = publish(bench, "ana");
  await assertSentOnce(bench, [before], ids);

  await before[Symbol.asyncDispose]();
  ids.push(...publish(bench, ...Array.from({ length: 30 }, (_, n) => `user${n}`)));
  const { waitsFor, reason } = await untilPaused(bench, 30);
  assert.equal(waitsFor, `the mail server at 127.0.0.1:${port}`);
  assert.match(reason, /ECONNREFUSED/);
  await eventually(() => assert.equal(eventIds(bench, "analytics", "signups").length, 31));

  await using after = await startSmtpServer({ port });
  await assertSentOnce(bench, [before, after], ids);
  await eventually(() => assert.equal(emailPause(bench), undefined));
  ids.push(...publish(bench, "later"));
  await assertSentOnce(bench, [before, after], ids);
});

Deno.test("an event that makes the mail server hang up is dead-lettered, and the others are sent", async () => {
  await using bench = await Bench.open(broker);
  let cuts = 0;
  await using server = await startSmtpServer({
    cutAt: (recipient) => recipient.startsWith("poison") && ++cuts > 0,
  });
  await using running = bench.run(emailConsumer(smtpMailer(`smtp://127.0.0.1:${server.port}`)));
  const pauses: Pause[] = [];
  const { notePause } = running.store;
  running.store.notePause = (
    pause,
  ) => (pause && pauses.push(pause), notePause.call(running.store, pause));
  const [poison] = publish(bench, "poison");
  const others = publish(bench, "ana", "luis", "eva");
  await eventually(async () => assert.equal(await bench.depth("dead_letter_queue"), 1));
  const { properties } = await bench.only("dead_letter_queue");
  assert.equal(properties.messageId, poison);
  assert.equal(properties.headers?.["x-failure-reason"], "retries-exhausted");
  assert.equal(properties.headers?.["x-retries"], TEST_DELAYS_MS.length);
  assert.ok(cuts >= 4, `${cuts} connections were cut`);
  assert.deepEqual(pauses, []);
  await assertSentOnce(bench, [server], others);
});

Deno.test("a mail server that refuses the login is waited for, and no password is told", async () => {
  await using bench = await Bench.open(broker);
  let isRefused = true;
  await using server = await startSmtpServer({ refuseLogin: () => isRefused });
  const url = `smtp://ecomarket:contrase%C3%B1a@127.0.0.1:${server.port}`;
  await using _running = bench.run(emailConsumer(smtpMailer(url)));
  const ids = publish(bench, "ana", "luis");
  const { waitsFor, reason } = await untilPaused(bench, 2);
  assert.match(reason, /Invalid login/);
  assert.doesNotMatch(`${waitsFor} ${reason}`, /contrase/);
  isRefused = false;
  await assertSentOnce(bench, [server], ids);
});

Deno.test("runSubscriber() calls no handler while its dependency is away, and counts nothing against an event", async () => {
  await using bench = await Bench.open(broker);
  const dependency = switchable();
  const consumer = recordingConsumer(() => {
    if (dependency.isAway) throw new Error("no se pudo enviar");
  }, { dependency });
  await using _running = bench.run(consumer, { prefetch: 5 });
  publish(bench, "ana");
  await eventually(() => assert.equal(consumer.handled.length, 1));
  dependency.isAway = true;
  publish(bench, ...Array.from({ length: 20 }, (_, n) => `user${n}`));
  await untilPaused(bench, 20);
  const tries = consumer.attempts.length;
  const checks = dependency.checks();
  await eventually(() => assert.ok(dependency.checks() > checks, "it is asked again"));
  assert.equal(consumer.attempts.length, tries);
  dependency.isAway = false;
  await eventually(() => assert.equal(consumer.handled.length, 21));
  assert.deepEqual(new Set(consumer.attempts), new Set([1]));
});

Deno.test("runSubscriber() does not consume before its dependency is there, also on a new link", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  const dependency = switchable();
  dependency.isAway = true;
  const consumer = recordingConsumer(undefined, { dependency });
  await using _running = bench.run(consumer, { amqpUrl: proxy.urlFor(bench.amqpUrl) });
  publish(bench, "ana");
  await eventually(() => assert.equal(proxy.open, 1));
  proxy.cut();
  await eventually(() => assert.ok(proxy.connections >= 2 && proxy.open === 1, "connected again"));
  await untilPaused(bench, 1);
  assert.deepEqual(consumer.attempts, []);
  dependency.isAway = false;
  await eventually(() => assert.deepEqual(consumer.attempts, [1]));
  await eventually(() => bench.assertEmpty("email_queue", "dead_letter_queue"));
});

Deno.test("runSubscriber() rests until its store and its dependency are both back", async () => {
  await using bench = await Bench.open(broker);
  const dependency = switchable();
  const consumer = recordingConsumer(() => {
    if (dependency.isAway) throw new Error("no se pudo enviar");
  }, { dependency });
  await using opened = bench.openStore(consumer);
  const { checkWritable } = opened;
  let locked = 0;
  opened.checkWritable = () =>
    checkWritable.call(opened).catch((error) => {
      locked++;
      throw error;
    });
  await using _running = bench.run(consumer, { store: opened, storePatienceMs: 200 });
  publish(bench, "ana");
  await eventually(() => assert.equal(consumer.handled.length, 1));
  dependency.isAway = true;
  publish(bench, "luis");
  await untilPaused(bench, 1);
  {
    using _lock = lockStore(join(bench.directory, "email"));
    dependency.isAway = false;
    await eventually(async () => {
      assert.ok(locked >= 3, "the dependency is back, and the store is away");
      const { ready, consumers } = await bench.status("email_queue");
      assert.deepEqual({ ready, consumers }, { ready: 1, consumers: 0 });
    });
  }
  await eventually(() => assert.equal(eventIds(bench, "email", "handled").length, 2));
  assert.deepEqual(new Set(consumer.attempts), new Set([1]));
  await eventually(() => bench.assertEmpty("email_queue", "dead_letter_queue", ...RETRY_QUEUES));
});

Deno.test("consumers/email.ts ends with 0 when it is asked to stop while its mail server is away", async () => {
  await using bench = await Bench.open(broker);
  const server = await startSmtpServer();
  const paused = Promise.withResolvers<void>();
  await using process = await startConsumer(bench, CONSUMERS.email, {
    env: { SMTP_URL: `smtp://127.0.0.1:${server.port}` },
    onRecord: ({ state }) => state === "paused" && paused.resolve(),
  });
  await server[Symbol.asyncDispose]();
  publish(bench, "ana");
  await paused.promise;
  await eventually(async () => {
    const { ready, consumers } = await bench.status("email_queue");
    assert.deepEqual({ ready, consumers }, { ready: 1, consumers: 0 });
  });
  const { code } = await process.stop();
  assert.equal(code, 0);
  assert.equal(emailPause(bench), undefined, "nobody rests any more");
  assert.equal(await bench.depth("email_queue"), 1);
});
