/** The names and arguments on the broker, as literals: scripts in other languages rely on them. */
import assert from "node:assert/strict";
import type { Channel } from "amqplib";
import { TopologyDriftError } from "@ecomarket/shared/base/errors";
import {
  ARCHIVE_DELIVERY_LIMIT,
  deadLetterSlice,
  declareTopology,
  DELIVERY_LIMIT,
  describeDrift,
  EVENT_EXCHANGES,
  fullTopology,
  subscriberSlice,
  SUBSCRIPTIONS,
} from "@ecomarket/shared/contract/topology";
import { analytics } from "../../consumers/analytics.ts";
import { emailConsumer } from "../../consumers/email.ts";
import { loyalty } from "../../consumers/loyalty.ts";
import { simulatedMailer } from "../../consumers/mailer.ts";

const DELAYS_MS = [5_000, 30_000, 120_000];
const SUBSCRIBER_ARGUMENTS = {
  "x-queue-type": "quorum",
  "x-delivery-limit": 3,
  "x-dead-letter-exchange": "dead_letters",
  "x-dead-letter-strategy": "at-least-once",
  "x-overflow": "reject-publish",
};

const ARCHIVE_QUEUES = [
  {
    name: "dead_letter_queue",
    arguments: {
      "x-queue-type": "quorum",
      "x-delivery-limit": 20,
      "x-dead-letter-exchange": "dead_letter_queue.parking",
      "x-dead-letter-strategy": "at-least-once",
      "x-overflow": "reject-publish",
    },
  },
  {
    name: "dead_letter_queue.parked",
    arguments: { "x-queue-type": "quorum", "x-delivery-limit": 1_000_000 },
  },
];

function retryQueue(queue: string, delayMs: number) {
  return {
    name: `${queue}.retry.${delayMs}`,
    arguments: {
      "x-queue-type": "quorum",
      "x-message-ttl": delayMs,
      "x-dead-letter-exchange": `${queue}.retry`,
      "x-dead-letter-routing-key": queue,
      "x-dead-letter-strategy": "at-least-once",
      "x-overflow": "reject-publish",
    },
  };
}

const byName = <T extends { name: string }>(things: readonly T[]) =>
  [...things].sort((a, b) => a.name < b.name ? -1 : 1);

Deno.test("fullTopology() holds exactly the workshop's exchanges", () => {
  assert.deepEqual(byName(fullTopology(DELAYS_MS).exchanges), [
    { name: "analytics_queue.retry", type: "direct" },
    { name: "dead_letter_queue.parking", type: "fanout" },
    { name: "dead_letters", type: "fanout" },
    { name: "email_queue.retry", type: "direct" },
    { name: "loyalty_queue.retry", type: "direct" },
    { name: "purchase_events", type: "fanout" },
    { name: "user_events", type: "fanout" },
  ]);
});

Deno.test("fullTopology() holds exactly the workshop's queues and their arguments", () => {
  const subscribers = ["email_queue", "loyalty_queue", "analytics_queue"];
  assert.deepEqual(
    byName(fullTopology(DELAYS_MS).queues),
    byName([
      ...ARCHIVE_QUEUES,
      ...subscribers.map((name) => ({ name, arguments: SUBSCRIBER_ARGUMENTS })),
      ...subscribers.flatMap((name) => DELAYS_MS.map((delayMs) => retryQueue(name, delayMs))),
    ]),
  );
});

Deno.test("subscriberSlice() binds the queue to the events, and every delay to its own key", () => {
  assert.deepEqual(
    new Set(subscriberSlice(SUBSCRIPTIONS.email, DELAYS_MS).bindings),
    new Set([
      { exchange: "dead_letter_queue.parking", queue: "dead_letter_queue.parked", routingKey: "" },
      { exchange: "dead_letters", queue: "dead_letter_queue", routingKey: "" },
      { exchange: "email_queue.retry", queue: "email_queue", routingKey: "email_queue" },
      { exchange: "email_queue.retry", queue: "email_queue.retry.5000", routingKey: "5000" },
      { exchange: "email_queue.retry", queue: "email_queue.retry.30000", routingKey: "30000" },
      { exchange: "email_queue.retry", queue: "email_queue.retry.120000", routingKey: "120000" },
      { exchange: "user_events", queue: "email_queue", routingKey: "" },
    ]),
  );
});

Deno.test("subscriberSlice() touches one pattern of names, and the two shared places", () => {
  const { exchanges, queues } = subscriberSlice(SUBSCRIPTIONS.email, DELAYS_MS);
  const shared = /^(user_events|dead_letters|dead_letter_queue(\..*)?)$/;
  const own = [...exchanges, ...queues].map(({ name }) => name).filter((name) =>
    !shared.test(name)
  );
  assert.equal(own.length, 5);
  for (const name of own) assert.match(name, /^email_queue(\..*)?$/);
});

Deno.test("subscriberSlice() makes one queue of two equal delays", () => {
  const { queues, bindings } = subscriberSlice(SUBSCRIPTIONS.email, [200, 200, 800]);
  assert.equal(queues.filter(({ name }) => name === "email_queue.retry.200").length, 1);
  assert.equal(bindings.filter(({ routingKey }) => routingKey === "200").length, 1);
});

Deno.test("subscriberSlice() lets a new subscriber start without a change to anything", () => {
  const { queues } = subscriberSlice({ queue: "audit_queue", exchanges: ["user_events"] }, [200]);
  assert.deepEqual(queues.map(({ name }) => name), [
    "dead_letter_queue",
    "dead_letter_queue.parked",
    "audit_queue",
    "audit_queue.retry.200",
  ]);
});

Deno.test("fullTopology() never uses the default exchange, and binds only what it declares", () => {
  const { exchanges, queues, bindings } = fullTopology(DELAYS_MS);
  for (const { exchange, queue } of bindings) {
    assert.notEqual(exchange, "");
    assert.ok(exchanges.some(({ name }) => name === exchange), exchange);
    assert.ok(queues.some(({ name }) => name === queue), queue);
  }
  for (const { name, arguments: args } of queues) {
    assert.notEqual(args["x-dead-letter-exchange"], "", name);
  }
});

Deno.test("fullTopology() is what the workshop's consumers declare together, and every event's exchange", () => {
  const slices = [emailConsumer(simulatedMailer), loyalty, analytics]
    .map((consumer) => consumer.spec(DELAYS_MS).topology);
  const full = fullTopology(DELAYS_MS);
  const events = EVENT_EXCHANGES.map((name) => ({ name, type: "fanout" }));
  const parts = [...slices, { exchanges: events, queues: [], bindings: [] }];
  for (const part of ["exchanges", "queues", "bindings"] as const) {
    const together = new Set(
      parts.flatMap((slice) => slice[part].map((it) => JSON.stringify(it))),
    );
    assert.deepEqual(new Set(full[part].map((it) => JSON.stringify(it))), together);
    assert.equal(full[part].length, together.size, `no ${part} twice`);
  }
});

Deno.test("deadLetterSlice() is the dead letters' exchange, and one pattern of names", () => {
  const { exchanges, queues, bindings } = deadLetterSlice();
  const names = [...exchanges, ...queues].map(({ name }) => name);
  assert.deepEqual(names.filter((name) => !/^dead_letter_queue(\..*)?$/.test(name)), [
    "dead_letters",
  ]);
  assert.deepEqual(bindings, [
    { exchange: "dead_letter_queue.parking", queue: "dead_letter_queue.parked", routingKey: "" },
    { exchange: "dead_letters", queue: "dead_letter_queue", routingKey: "" },
  ]);
});

Deno.test("deadLetterSlice() keeps a dead letter in the archive's queue longer than a subscriber keeps an event", () => {
  assert.ok(ARCHIVE_DELIVERY_LIMIT > DELIVERY_LIMIT);
});

/** A channel that records what it is asked, and refuses with `refusal` where there is one. */
function recordingChannel(refusal?: Error) {
  const calls: unknown[][] = [];
  const answer = (...call: unknown[]) => {
    calls.push(call);
    return refusal ? Promise.reject(refusal) : Promise.resolve();
  };
  const channel = {
    assertExchange: (...args: unknown[]) => answer("exchange", ...args),
    assertQueue: (...args: unknown[]) => answer("queue", ...args),
    bindQueue: (...args: unknown[]) => answer("binding", ...args),
  };
  return { calls, channel: channel as unknown as Channel };
}

Deno.test("declareTopology() declares all durable, and binds nothing before all stands", async () => {
  const { calls, channel } = recordingChannel();
  await declareTopology(channel, deadLetterSlice());
  assert.deepEqual(calls, [
    ["exchange", "dead_letters", "fanout", { durable: true }],
    ["exchange", "dead_letter_queue.parking", "fanout", { durable: true }],
    ...ARCHIVE_QUEUES.map(({ name, arguments: args }) => [
      "queue",
      name,
      { durable: true, arguments: args },
    ]),
    ["binding", "dead_letter_queue.parked", "dead_letter_queue.parking", ""],
    ["binding", "dead_letter_queue", "dead_letters", ""],
  ]);
});

Deno.test("declareTopology() passes on an error that is no drift, as it is", async () => {
  const refusal = Object.assign(new Error("403 (ACCESS-REFUSED)"), { code: 403 });
  const { channel } = recordingChannel(refusal);
  await assert.rejects(declareTopology(channel, deadLetterSlice()), (error) => error === refusal);
});

Deno.test("declareTopology() explains a drift, and keeps the broker's error as its cause", async () => {
  const text = "Operation failed: ExchangeDeclare; 406 (PRECONDITION-FAILED) with message " +
    "\"PRECONDITION_FAILED - inequivalent arg 'type' for exchange 'dead_letters' in vhost '/': " +
    "received 'fanout' but current is 'topic'\"";
  const refusal = Object.assign(new Error(text), { code: 406 });
  const { channel } = recordingChannel(refusal);
  await assert.rejects(declareTopology(channel, deadLetterSlice()), (error) => {
    assert.ok(error instanceof TopologyDriftError);
    assert.equal(error.cause, refusal);
    assert.match(
      error.message,
      /^The exchange "dead_letters" stands with other arguments: its type is "topic", "fanout" was wanted\./,
    );
    return true;
  });
});

/** What RabbitMQ 3.10.8 says. */
function brokerText(argument: string, received: string, current: string): string {
  return "Operation failed: QueueDeclare; 406 (PRECONDITION-FAILED) with message " +
    `"PRECONDITION_FAILED - inequivalent arg '${argument}' for queue 'email_queue' in vhost '/': ` +
    `received ${received} but current is ${current}"`;
}

Deno.test("describeDrift() names the argument, what is there and what was wanted", () => {
  const texts: [string, string][] = [
    [
      brokerText(
        "x-message-ttl",
        "the value '7' of type 'signedint'",
        "the value '5' of type 'signedint'",
      ),
      'its x-message-ttl is "5", "7" was wanted',
    ],
    [
      brokerText("x-queue-type", "'quorum'", "'classic'"),
      'its x-queue-type is "classic", "quorum" was wanted',
    ],
    [
      brokerText("x-overflow", "the value 'reject-publish' of type 'longstr'", "none"),
      'its x-overflow is none, "reject-publish" was wanted',
    ],
    [
      brokerText("x-max-length", "none", "the value '10' of type 'signedint'"),
      'its x-max-length is "10", none was wanted',
    ],
  ];
  for (const [text, difference] of texts) {
    assert.equal(
      describeDrift("queue", "email_queue", text),
      `The queue "email_queue" stands with other arguments: ${difference}. Nothing was changed. ` +
        "Stop its consumers, then run this, which moves its messages into a new one: " +
        "deno task setup-queues --migrate",
    );
  }
});

Deno.test("describeDrift() repeats the broker's words where it does not understand them", () => {
  const text = describeDrift("exchange", "user_events", "PRECONDITION_FAILED - something new");
  assert.match(
    text,
    /other arguments: PRECONDITION_FAILED - something new\. Nothing was changed\./,
  );
  assert.match(text, /Delete the exchange "user_events" in the management UI/);
});

Deno.test("subscriberSlice() of an ordered subscriber brings each bucket into one partition, and the rest into the first", () => {
  const ordered = { partitions: 3 };
  const slice = subscriberSlice({ queue: "audit_queue", exchanges: ["user_events"], ordered }, []);
  const own = slice.queues.filter(({ name }) => name.startsWith("audit_queue"));
  assert.deepEqual(own.map(({ name }) => name), [
    "audit_queue.partition.0",
    "audit_queue.partition.1",
    "audit_queue.partition.2",
  ]);
  for (const { arguments: args } of own) {
    assert.equal(args["x-single-active-consumer"], true);
    assert.equal(args["x-dead-letter-strategy"], "at-least-once");
  }
  const buckets = slice.bindings.filter(({ exchange }) => exchange === "audit_queue.partitions");
  assert.deepEqual(
    buckets.map((binding) => [binding.arguments?.user_bucket, binding.queue]),
    Array.from({ length: 64 }, (_, n) => [String(n), own[n % 3]!.name]),
  );
  assert.deepEqual(slice.links, [
    { from: "audit_queue.retry", to: "audit_queue.partitions", routingKey: "audit_queue" },
    { from: "user_events", to: "audit_queue.partitions", routingKey: "" },
  ]);
});
