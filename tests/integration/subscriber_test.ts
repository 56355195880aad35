/** The subscriber loop against a real broker and a real store: where each delivery ends. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { GetMessage } from "amqplib";
import { aborted } from "@ecomarket/shared/base/abort";
import {
  HandlerTimeoutError,
  PermanentError,
  TopologyDriftError,
} from "@ecomarket/shared/base/errors";
import { encode } from "@ecomarket/shared/contract/catalogue";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";
import type { Logger } from "@ecomarket/shared/process/log";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { deadLetterConsumer } from "../../consumers/dead_letter.ts";
import { onlyArchived, refuseTenTimes } from "../support/archive.ts";
import { Bench, recordingConsumer, TEST_DELAYS_MS } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";

const broker = brokerOfFile();

const JUAN = { user_id: "u-1", nombre: "Juan Pérez", email: "juan@example.com" };

function publishSignup(
  bench: Bench,
  user_id: string,
  headers: Record<string, unknown> = {},
): string {
  const { content, options } = encode(createUsuarioCreado({ ...JUAN, user_id }));
  bench.publishRaw(content.toString(), { ...options, headers });
  return String(options.messageId);
}

/** Each user whose effect is committed, as often as it is. */
function effects(bench: Bench): string[] {
  using db = new DatabaseSync(join(bench.directory, "email", "store.sqlite"), { readOnly: true });
  return db.prepare("SELECT user_id FROM handled ORDER BY user_id").all()
    .map((row) => String(row.user_id));
}

/** The one dead letter that waits, once it is there. */
async function deadLetter(bench: Bench): Promise<GetMessage> {
  await eventually(async () => assert.equal(await bench.depth("dead_letter_queue"), 1));
  return await bench.only("dead_letter_queue");
}

Deno.test("runSubscriber() commits the effect of an event once, and acks it", async () => {
  await using bench = await Bench.open(broker);
  const consumer = recordingConsumer();
  {
    await using _running = bench.run(consumer);
    publishSignup(bench, "u-1");
    await eventually(() => assert.deepEqual(effects(bench), ["u-1"]));
  }
  // n.b. what was not acked would be in the queue again now.
  await bench.assertEmpty("email_queue", "dead_letter_queue");
});

Deno.test("runSubscriber() says that it consumes before it handles anything", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  publishSignup(bench, "u-1");
  // As a busy machine reads them: the consumer and its first delivery at once.
  proxy.joinBehind("basic.consume-ok");
  const consumer = recordingConsumer();
  const handledBefore: number[] = [];
  const info = (message: string) => {
    if (message.startsWith("Waiting for messages")) handledBefore.push(consumer.handled.length);
  };
  const silent = () => {};
  const log: Logger = { debug: silent, info, warning: silent, error: silent, with: () => log };
  await using _running = bench.run(consumer, { amqpUrl: proxy.urlFor(bench.amqpUrl), log });
  await eventually(() => assert.deepEqual(consumer.handled, ["u-1"]));
  await eventually(() => assert.deepEqual(handledBefore, [0]));
});

Deno.test("runSubscriber() understands every message of the workshop's Python scripts", async () => {
  await using bench = await Bench.open(broker);
  await using _running = bench.run(recordingConsumer());
  const rest = { nombre: "Ana", email: "ana@example.com" };
  bench.publishRaw({ id: "minimal", ...rest, created_at: "2025-10-01T10:00:00" });
  bench.publishRaw({ user_id: "level-1", ...rest }, { deliveryMode: 2 });
  bench.publishRaw({
    user_id: "level-3",
    ...rest,
    event_type: "UsuarioCreado",
    event_id: crypto.randomUUID(),
    timestamp: "2025-10-01T10:00:00.123456",
  }, { headers: { "x-retries": 0 } });
  bench.publishRaw({ id: 42, ...rest, event_type: "UsuarioCreado" });
  bench.publishRaw({ user_id: "simulated", ...rest, simulate_fail: true });
  await eventually(() => {
    assert.deepEqual(effects(bench), ["42", "level-1", "level-3", "minimal", "simulated"]);
  });
});

Deno.test("runSubscriber() dead-letters an invalid message at once, untouched, with the reason", async () => {
  await using bench = await Bench.open(broker);
  const consumer = recordingConsumer();
  await using _running = bench.run(consumer);
  const invalid = [
    "no es JSON {",
    JSON.stringify({ ...JUAN, event_type: "PedidoCreado" }),
    JSON.stringify({ ...JUAN, email: "juan@" }),
    JSON.stringify({ ...JUAN, nombre: 7 }),
    "x".repeat(256 * 1024 + 1),
  ];
  for (const body of invalid) bench.publishRaw(body, { headers: { "x-mine": "kept" } });
  await eventually(async () => assert.equal(await bench.depth("dead_letter_queue"), 5));
  const letters = await bench.drain("dead_letter_queue");
  assert.deepEqual(new Set(letters.map(({ content }) => content.toString())), new Set(invalid));
  for (const { properties: { headers } } of letters) {
    assert.equal(headers?.["x-failure-reason"], "invalid-message");
    assert.equal(headers?.["x-origin-queue"], "email_queue");
    assert.equal(headers?.["x-mine"], "kept");
    assert.ok(headers?.["x-failure-message"]);
    assert.ok(!Number.isNaN(Date.parse(headers?.["x-failed-at"])));
  }
  assert.deepEqual(consumer.handled, []);
});

Deno.test("runSubscriber() retries after each delay in turn, and bothers no other subscriber", async () => {
  await using bench = await Bench.open(broker);
  const consumer = recordingConsumer((_user, attempt) => {
    if (attempt <= 3) throw new Error("the mail server is down");
  });
  await using _running = bench.run(consumer);
  publishSignup(bench, "u-1");
  await eventually(() => assert.deepEqual(effects(bench), ["u-1"]));
  assert.deepEqual(consumer.attempts, [1, 2, 3, 4]);
  assert.equal(await bench.depth("loyalty_queue"), 1);
  assert.equal(await bench.depth("analytics_queue"), 1);
  await bench.assertEmpty("dead_letter_queue");
});

Deno.test("runSubscriber() sends a failed event to the retry queue of its next delay", async () => {
  await using bench = await Bench.open(broker);
  // Nothing comes back from here in the time of a test.
  await bench.channel.unbindQueue("email_queue.retry.100", "email_queue.retry", "100");
  await bench.channel.assertQueue("parked");
  await bench.channel.bindQueue("parked", "email_queue.retry", "100");
  await using _running = bench.run(recordingConsumer(() => {
    throw new Error("¡ay!");
  }));
  const id = publishSignup(bench, "u-1", { "x-mine": "kept" });
  await eventually(async () => assert.equal(await bench.depth("parked"), 1));
  const { properties } = await bench.only("parked");
  assert.equal(properties.messageId, id);
  assert.equal(properties.type, "UsuarioCreado");
  assert.equal(properties.headers?.["x-retries"], 2);
  assert.equal(properties.headers?.["x-mine"], "kept");
  assert.equal(properties.headers?.["x-death"], undefined, "the broker's own header is not copied");
});

Deno.test("runSubscriber() dead-letters what still fails after the last delay", async () => {
  await using bench = await Bench.open(broker);
  const consumer = recordingConsumer(() => {
    throw new Error("siempre");
  });
  await using _running = bench.run(consumer);
  const id = publishSignup(bench, "u-1");
  const { properties: { headers, messageId } } = await deadLetter(bench);
  assert.equal(messageId, id);
  assert.equal(headers?.["x-failure-reason"], "retries-exhausted");
  assert.equal(headers?.["x-failure-message"], "siempre");
  assert.equal(headers?.["x-retries"], TEST_DELAYS_MS.length);
  assert.deepEqual(consumer.attempts, [1, 2, 3, 4]);
  assert.deepEqual(effects(bench), []);
});

Deno.test("runSubscriber() dead-letters a PermanentError without a retry", async () => {
  await using bench = await Bench.open(broker);
  const consumer = recordingConsumer(() => {
    throw new PermanentError("no such mailbox");
  });
  await using _running = bench.run(consumer);
  publishSignup(bench, "u-1");
  const { properties: { headers } } = await deadLetter(bench);
  assert.equal(headers?.["x-failure-reason"], "permanent-error");
  assert.deepEqual(consumer.attempts, [1]);
});

Deno.test("runSubscriber() retries what takes longer than its deadline, and aborts its handler", async () => {
  await using bench = await Bench.open(broker);
  const reasons: unknown[] = [];
  const consumer = recordingConsumer(async (_user, attempt, signal) => {
    if (attempt > 1) return;
    await aborted(signal);
    reasons.push(signal.reason);
    await new Promise(() => {}); // It heeds no signal: its delivery goes on without it.
  }, { handlerTimeoutMs: 200 });
  await using _running = bench.run(consumer);
  publishSignup(bench, "u-1");
  await eventually(() => assert.deepEqual(effects(bench), ["u-1"]));
  assert.deepEqual(consumer.attempts, [1, 2]);
  assert.ok(reasons[0] instanceof HandlerTimeoutError);
  await bench.assertEmpty("dead_letter_queue");
});

Deno.test("runSubscriber() dead-letters what always takes longer than its deadline, with a reason of its own", async () => {
  await using bench = await Bench.open(broker);
  const consumer = recordingConsumer(() => new Promise(() => {}), { handlerTimeoutMs: 50 });
  await using _running = bench.run(consumer);
  const id = publishSignup(bench, "u-1");
  const { properties } = await deadLetter(bench);
  assert.equal(properties.messageId, id);
  assert.equal(properties.headers?.["x-failure-reason"], "handler-timeout");
  assert.match(properties.headers?.["x-failure-message"], /not done after 50 ms/);
  assert.deepEqual(effects(bench), []);
});

Deno.test("runSubscriber() handles the others after a restart, although one event hangs", async () => {
  await using bench = await Bench.open(broker);
  const hung = Promise.withResolvers<void>();
  const consumer = recordingConsumer(async (user) => {
    if (user !== "u-hangs") return;
    hung.resolve();
    await new Promise(() => {});
  }, { handlerTimeoutMs: 500 });
  const first = bench.run(consumer, { shutdownTimeoutMs: 50 });
  publishSignup(bench, "u-hangs");
  await hung.promise;
  await first.stop();

  await using _second = bench.run(consumer);
  const others = Array.from({ length: 20 }, (_, n) => `u-${10 + n}`);
  others.forEach((user) => publishSignup(bench, user));
  await eventually(() => assert.deepEqual(effects(bench), others));
  const { properties } = await deadLetter(bench);
  assert.equal(properties.headers?.["x-failure-reason"], "handler-timeout");
});

Deno.test("runSubscriber() fails on request only where failures are simulated", async () => {
  await using bench = await Bench.open(broker);
  {
    await using _running = bench.run(recordingConsumer(), { simulateFailures: true });
    publishSignup(bench, "fails-twice", { "x-simulate-failures": "email:2" });
    publishSignup(bench, "not-asked", { "x-simulate-failures": "loyalty:always" });
    bench.publishRaw({ ...JUAN, user_id: "always", simulate_fail: true });
    await eventually(async () => {
      assert.deepEqual(effects(bench), ["fails-twice", "not-asked"]);
      assert.equal(await bench.depth("dead_letter_queue"), 1);
    });
    const { content } = await bench.only("dead_letter_queue");
    assert.equal(JSON.parse(content.toString()).user_id, "always");
  }
  await using _running = bench.run(recordingConsumer());
  publishSignup(bench, "ignored", { "x-simulate-failures": "email:always" });
  await eventually(() => assert.deepEqual(effects(bench), ["fails-twice", "ignored", "not-asked"]));
});

Deno.test("runSubscriber() does a repeated event once, also when both copies are in flight", async () => {
  await using bench = await Bench.open(broker);
  const release = Promise.withResolvers<void>();
  const consumer = recordingConsumer(async (user) => {
    if (user === "twice") await release.promise;
  });
  {
    await using _running = bench.run(consumer);
    publishSignup(bench, "opens-the-window");
    await eventually(() => assert.deepEqual(consumer.handled, ["opens-the-window"]));
    const { content, options } = encode(createUsuarioCreado({ ...JUAN, user_id: "twice" }));
    bench.publishRaw(content.toString(), options);
    bench.publishRaw(content.toString(), options);
    publishSignup(bench, "later");
    await eventually(() => assert.ok(consumer.handled.includes("later")));
    release.resolve();
    await eventually(() =>
      assert.deepEqual(effects(bench), ["later", "opens-the-window", "twice"])
    );
    bench.publishRaw(content.toString(), options);
    publishSignup(bench, "last");
    await eventually(() => assert.ok(consumer.handled.includes("last")));
  }
  assert.deepEqual(effects(bench), ["last", "later", "opens-the-window", "twice"]);
  assert.equal(consumer.handled.filter((user) => user === "twice").length, 1);
  await bench.assertEmpty("email_queue", "dead_letter_queue");
});

Deno.test("runSubscriber() recognises a repeated message that has no id at all", async () => {
  await using bench = await Bench.open(broker);
  const consumer = recordingConsumer();
  await using _running = bench.run(consumer);
  bench.publishRaw(JUAN);
  await eventually(() => assert.deepEqual(effects(bench), ["u-1"]));
  bench.publishRaw(JUAN);
  publishSignup(bench, "z-later");
  await eventually(() => assert.deepEqual(effects(bench), ["u-1", "z-later"]));
});

Deno.test("runSubscriber() retries a message that carries what must not travel along", async () => {
  await using bench = await Bench.open(broker);
  await using _running = bench.run(recordingConsumer((_user, attempt) => {
    if (attempt === 1) throw new Error("once");
  }));
  const hostile = {
    // A copy with this expiration could vanish while it waits.
    expiration: "60000",
    // The broker refuses a user that is not the connection's, and routes to every key in CC.
    userId: "ecomarket_user",
    replyTo: "amq.rabbitmq.reply-to",
    headers: { CC: ["50", "100"], "x-retries": -3, "x-death": "nonsense" },
  };
  bench.connection.on("error", () => {});
  // n.b. a reply-to of this kind needs a consumer of the pseudo-queue on the publishing channel.
  await bench.channel.consume("amq.rabbitmq.reply-to", () => {}, { noAck: true });
  bench.publishRaw(JUAN, hostile);
  await eventually(() => assert.deepEqual(effects(bench), ["u-1"]));
  await bench.assertEmpty("email_queue", "dead_letter_queue");
});

Deno.test("runSubscriber() keeps a message that is too large to be written again with its headers", async () => {
  await using bench = await Bench.open(broker);
  await using _running = bench.run(recordingConsumer());
  bench.publishRaw("inválido", { headers: { big: "x".repeat(65_400) } });
  const { content, properties } = await deadLetter(bench);
  assert.equal(content.toString(), "inválido");
  assert.equal(properties.headers?.["x-failure-reason"], "invalid-message");
});

Deno.test("runSubscriber() stops after finishing what is in flight", async () => {
  await using bench = await Bench.open(broker);
  const release = Promise.withResolvers<void>();
  const started = Promise.withResolvers<void>();
  const running = bench.run(recordingConsumer(async () => {
    started.resolve();
    await release.promise;
  }));
  publishSignup(bench, "u-1");
  await started.promise;
  const stopping = running.stop();
  release.resolve();
  await stopping;
  assert.deepEqual(effects(bench), ["u-1"]);
  await bench.assertEmpty("email_queue");
});

Deno.test("runSubscriber() hands back what is not finished by the deadline, and aborts its handler", async () => {
  await using bench = await Bench.open(broker);
  const started = Promise.withResolvers<void>();
  let handlerAborted = false;
  const running = bench.run(
    recordingConsumer(async (_user, _attempt, signal) => {
      started.resolve();
      await aborted(signal);
      handlerAborted = true;
      throw signal.reason;
    }),
    { shutdownTimeoutMs: 200 },
  );
  publishSignup(bench, "u-1");
  await started.promise;
  await running.stop();
  assert.ok(handlerAborted);
  const { properties } = await eventually(() => bench.only("email_queue"));
  assert.equal(properties.headers?.["x-retries"], undefined, "a stop is not a failure");
  await bench.assertEmpty("dead_letter_queue");
});

Deno.test("runSubscriber() aborts its handlers when the link is lost, and consumes again", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  let interrupted = 0;
  const consumer = recordingConsumer(async (_user, _attempt, signal) => {
    if (interrupted > 0) return;
    proxy.cut();
    await aborted(signal);
    interrupted++;
    throw signal.reason;
  });
  await using _running = bench.run(consumer, { amqpUrl: proxy.urlFor(bench.amqpUrl) });
  publishSignup(bench, "u-1");
  await eventually(() => assert.deepEqual(effects(bench), ["u-1"]));
  assert.equal(interrupted, 1);
  assert.ok(proxy.cuts >= 1);
  publishSignup(bench, "u-2");
  await eventually(() => assert.deepEqual(effects(bench), ["u-1", "u-2"]));
  await bench.assertEmpty("dead_letter_queue");
});

Deno.test("runSubscriber() commits what its handler finished after the link was lost, once", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  const consumer = recordingConsumer(async (_user, _attempt, signal) => {
    proxy.cut();
    await aborted(signal); // It heeds no signal: it goes on, and its effect counts.
  });
  await using _running = bench.run(consumer, { amqpUrl: proxy.urlFor(bench.amqpUrl) });
  publishSignup(bench, "u-1");
  await eventually(async () => {
    assert.deepEqual(effects(bench), ["u-1"]);
    await bench.assertEmpty("email_queue");
  });
  assert.deepEqual(consumer.handled, ["u-1"], "the second delivery was recognised");
});

Deno.test("runSubscriber() declares its queue again when it is deleted, and consumes again", async () => {
  await using bench = await Bench.open(broker);
  const consumer = recordingConsumer();
  await using _running = bench.run(consumer);
  publishSignup(bench, "u-1");
  await eventually(() => assert.deepEqual(effects(bench), ["u-1"]));
  await eventually(() => bench.assertEmpty("email_queue"));
  await bench.channel.deleteQueue("email_queue");
  await eventually(async () => assert.equal((await bench.status("email_queue")).consumers, 1));
  publishSignup(bench, "u-2");
  await eventually(() => assert.deepEqual(effects(bench), ["u-1", "u-2"]));
});

Deno.test("runSubscriber() declares a retry queue again when it is deleted, and loses nothing", async () => {
  await using bench = await Bench.open(broker);
  const consumer = recordingConsumer(async (_user, attempt) => {
    if (consumer.attempts.length === 1) await bench.channel.deleteQueue("email_queue.retry.50");
    if (attempt === 1) throw new Error("once");
  });
  await using _running = bench.run(consumer);
  publishSignup(bench, "u-1");
  await eventually(() => assert.deepEqual(effects(bench), ["u-1"]));
  assert.deepEqual(
    consumer.attempts,
    [1, 1, 2],
    "it came back unsettled, then by way of the new queue",
  );
});

Deno.test("runSubscriber() rejects when its queue stands with other arguments, and names the difference", async () => {
  await using bench = await Bench.open(broker);
  await bench.channel.deleteQueue("email_queue");
  await bench.channel.assertQueue("email_queue", {
    arguments: { "x-queue-type": "quorum", "x-delivery-limit": 7 },
  });
  const running = bench.run(recordingConsumer());
  await assert.rejects(running.done, (error: Error) => {
    assert.ok(error instanceof TopologyDriftError);
    assert.match(error.message, /"email_queue".*x-de/);
    return true;
  });
  await assert.rejects(running.stop(), TopologyDriftError);
});

Deno.test("runSubscriber() of a new subscriber declares its own slice, and receives from then on", async () => {
  await using bench = await Bench.open(broker);
  const handled: string[] = [];
  await using _running = bench.run(recordingConsumer((user) => void handled.push(user), {
    name: "email",
    queue: "audit_queue",
  }));
  await eventually(async () => assert.equal((await bench.status("audit_queue")).consumers, 1));
  publishSignup(bench, "u-1");
  await eventually(() => assert.deepEqual(handled, ["u-1"]));
  assert.equal(await bench.depth("email_queue"), 1, "the others have theirs as well");
});

Deno.test("deadLetterConsumer archives what failed, with its origin, reason, headers and raw body", async () => {
  await using bench = await Bench.open(broker);
  await using _email = bench.run(recordingConsumer());
  await using _archive = bench.run(deadLetterConsumer);
  const body = new TextEncoder().encode("{ roto 🌱");
  bench.channel.publish(USER_EVENTS_EXCHANGE, "", Buffer.from(body), {
    messageId: "m-1",
    correlationId: "c-1",
    headers: { "x-mine": "kept" },
  });
  const row = await onlyArchived(bench);
  assert.equal(row.message_id, "m-1");
  assert.equal(row.origin_queue, "email_queue");
  assert.equal(row.reason, "invalid-message");
  assert.match(String(row.failure_message), /JSON/);
  assert.deepEqual(row.body, body);
  assert.equal(JSON.parse(String(row.properties)).correlationId, "c-1");
  assert.equal(JSON.parse(String(row.headers))["x-mine"], "kept");
});

Deno.test("deadLetterConsumer sends a dead letter round again before the broker would drop it", async () => {
  await using bench = await Bench.open(broker);
  const { content, options } = encode(createUsuarioCreado(JUAN));
  bench.channel.publish("dead_letters", "", content, {
    ...options,
    headers: { "x-origin-queue": "email_queue", "x-failure-reason": "retries-exhausted" },
  });
  await refuseTenTimes(bench);
  await using _archive = bench.run(deadLetterConsumer);
  const row = await onlyArchived(bench);
  assert.equal(row.message_id, options.messageId);
  assert.equal(row.origin_queue, "email_queue");
  // A fresh count: it came by way of the exchange.
  assert.equal(JSON.parse(String(row.headers))["x-delivery-count"], undefined);
  await eventually(() => bench.assertEmpty("dead_letter_queue"));
});
