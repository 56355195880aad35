/** What `setup-queues --check` finds, from what the management API lists. */
import assert from "node:assert/strict";
import type { StandingTopology } from "@ecomarket/shared/broker/management";
import { fullTopology } from "@ecomarket/shared/contract/topology";
import {
  differenceText,
  diffTopology,
  leftovers,
  otherSubscribers,
  refuseSharedQueues,
  sharedByConsumers,
} from "../../setup/queues/topology_diff.ts";

const WANTED = fullTopology([200]);

/** What the broker lists where everything stands, changed by `change`. */
function standing(change: (standing: Mutable<StandingTopology>) => void = () => {}) {
  const { exchanges, queues, bindings } = WANTED;
  const stands = {
    exchanges: [
      { name: "", type: "direct", durable: true, arguments: {} },
      ...exchanges.map((exchange) => ({ ...exchange, durable: true, arguments: {} })),
    ],
    queues: queues.map(({ name, arguments: args }) => ({
      name,
      durable: true,
      arguments: { ...args } as Record<string, unknown>,
    })),
    bindings: [
      // The broker binds every queue to the default exchange.
      ...queues.map(({ name }) => ({
        source: "",
        destination: name,
        destination_type: "queue",
        routing_key: name,
      })),
      ...bindings.map(({ exchange, queue, routingKey }) => ({
        source: exchange,
        destination: queue,
        destination_type: "queue",
        routing_key: routingKey,
      })),
    ],
  };
  change(stands);
  return stands;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

Deno.test("diffTopology() finds nothing where everything stands", () => {
  assert.deepEqual(diffTopology(WANTED, standing()), []);
});

Deno.test("diffTopology() finds everything missing on an empty virtual host", () => {
  const nothing = { exchanges: [], queues: [], bindings: [] };
  const { exchanges, queues, bindings } = WANTED;
  const differences = diffTopology(WANTED, nothing);
  assert.equal(differences.length, exchanges.length + queues.length + bindings.length);
  for (const difference of differences) {
    assert.match(differenceText(difference), /is missing\. Run: deno task setup-queues$/);
  }
});

Deno.test("diffTopology() names a missing exchange, queue and binding", () => {
  const stands = standing((stands) => {
    stands.exchanges = stands.exchanges.filter(({ name }) => name !== "user_events");
    stands.queues = stands.queues.filter(({ name }) => name !== "loyalty_queue");
    stands.bindings = stands.bindings.filter(({ routing_key, source }) =>
      source !== "email_queue.retry" || routing_key !== "200"
    );
  });
  assert.deepEqual(diffTopology(WANTED, stands).map(differenceText), [
    'The exchange "user_events" is missing. Run: deno task setup-queues',
    'The queue "loyalty_queue" is missing. Run: deno task setup-queues',
    'The binding of "email_queue.retry.200" to "email_queue.retry" with the key "200" is missing. ' +
    "Run: deno task setup-queues",
  ]);
});

Deno.test("diffTopology() is not satisfied by a binding with another key or to an exchange", () => {
  const stands = standing((stands) => {
    stands.bindings = stands.bindings.map((binding) =>
      binding.source !== "user_events"
        ? binding
        : binding.destination === "email_queue"
        ? { ...binding, routing_key: "usuarios" }
        : { ...binding, destination_type: "exchange" }
    );
  });
  assert.deepEqual(
    diffTopology(WANTED, stands).map(({ what }) => what),
    ["email_queue", "loyalty_queue", "analytics_queue"]
      .map((queue) => `The binding of "${queue}" to "user_events" is missing`),
  );
});

Deno.test("diffTopology() names a changed, a missing and a foreign argument", () => {
  const stands = standing((stands) => {
    const email = stands.queues.find(({ name }) => name === "email_queue")!;
    const { "x-overflow": _, ...others } = email.arguments;
    const changed = { ...others, "x-delivery-limit": 20, "x-max-length": 10 };
    stands.queues = stands.queues.map((queue) =>
      queue === email ? { ...queue, arguments: changed } : queue
    );
  });
  const advice = "Stop its consumers, then run this, which moves its messages into a new one: " +
    "deno task setup-queues --migrate";
  assert.deepEqual(diffTopology(WANTED, stands).map(differenceText), [
    `The queue "email_queue" stands otherwise: its x-delivery-limit is 20, 3 was wanted. ${advice}`,
    'The queue "email_queue" stands otherwise: its x-overflow is none, "reject-publish" was wanted. ' +
    advice,
    `The queue "email_queue" stands otherwise: its x-max-length is 10, none was wanted. ${advice}`,
  ]);
});

Deno.test("diffTopology() names an exchange of another type, and what is not durable", () => {
  const stands = standing((stands) => {
    stands.exchanges = stands.exchanges.map((exchange) =>
      exchange.name === "user_events" ? { ...exchange, type: "topic", durable: false } : exchange
    );
    stands.queues = stands.queues.map((queue) =>
      queue.name === "dead_letter_queue" ? { ...queue, durable: false } : queue
    );
  });
  assert.deepEqual(diffTopology(WANTED, stands).map(({ what }) => what), [
    'The exchange "user_events" stands otherwise: its type is topic, fanout was wanted',
    'The exchange "user_events" stands otherwise: it is not durable',
    'The queue "dead_letter_queue" stands otherwise: it is not durable',
  ]);
});

Deno.test("otherSubscribers() names further queues of the events, and no others", () => {
  const bind = (source: string, destination: string) => ({
    source,
    destination,
    destination_type: "queue",
    routing_key: "",
  });
  const stands = standing((stands) => {
    stands.bindings = [
      ...stands.bindings,
      bind("user_events", "sms_queue"),
      bind("user_events", "audit_queue"),
      bind("amq.topic", "otra_queue"),
    ];
  });
  assert.deepEqual(otherSubscribers(WANTED, stands), ["audit_queue", "sms_queue"]);
  assert.deepEqual(diffTopology(WANTED, stands), [], "a new subscriber is no difference");
});

Deno.test("leftovers() names what an ended set-up and an ended migration left, and what finishes them", () => {
  assert.deepEqual(leftovers(WANTED, standing()), []);
  const stands = standing((stands) => {
    const exchange = { type: "fanout", durable: true, arguments: {} };
    stands.exchanges = [...stands.exchanges, { name: "user_events.setup", ...exchange }];
    const queue = { durable: true, arguments: {} };
    stands.queues = [...stands.queues, { name: "email_queue.migrating", ...queue }];
  });
  assert.deepEqual(leftovers(WANTED, stands).map(differenceText), [
    "A set-up was ended on its way. Run: deno task setup-queues",
    'A migration of "email_queue" was ended on its way, and messages may wait in ' +
    '"email_queue.migrating". Run: deno task setup-queues --migrate',
  ]);
});

Deno.test("otherSubscribers() takes a queue's stand-in, and the set-up's exchange, for no subscriber", () => {
  const bind = (destination: string, destination_type: string) => ({
    source: "user_events",
    destination,
    destination_type,
    routing_key: "",
  });
  const stands = standing((stands) => {
    stands.bindings = [
      ...stands.bindings,
      bind("email_queue.migrating", "queue"),
      bind("user_events.setup", "exchange"),
    ];
  });
  assert.deepEqual(otherSubscribers(WANTED, stands), []);
});

Deno.test("sharedByConsumers() names a queue that is consumed under two names, and no other", () => {
  const consumer = (queue: string, name: string | undefined) => ({
    queue,
    name,
    address: "127.0.0.1:5 -> 127.0.0.1:6",
  });
  const consumers = [
    consumer("email_queue", "ecomarket sms"),
    consumer("email_queue", "ecomarket email"),
    consumer("email_queue", "ecomarket email"),
    consumer("loyalty_queue", "ecomarket loyalty"),
    consumer("loyalty_queue", undefined),
  ];
  assert.deepEqual(sharedByConsumers(consumers).map(differenceText), [
    'The queue "email_queue" is consumed under different names, "ecomarket email" and ' +
    '"ecomarket sms": each event reaches one of them only. Give each subscriber a queue of its own',
  ]);
});

Deno.test("refuseSharedQueues() refuses two names on one queue, and says what to change", () => {
  refuseSharedQueues({ email: "email_queue", sms: "sms_queue" });
  assert.throws(
    () =>
      refuseSharedQueues({ email: "email_queue", loyalty: "loyalty_queue", sms: "email_queue" }),
    {
      name: "ConfigError",
      message:
        'The subscribers "email" and "sms" share the queue "email_queue": each event would ' +
        "reach one of them only. Give each a queue of its own in SUBSCRIBER_QUEUES of " +
        "shared/contract/topology.ts",
    },
  );
});
