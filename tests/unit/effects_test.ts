/** What `status` and `demo` read from the subscribers' stores, written by the subscribers themselves. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { ConsumeMessage } from "amqplib";
import { encode } from "@ecomarket/shared/contract/catalogue";
import { createCompraRealizada } from "@ecomarket/shared/contract/compra_realizada";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { StoreUnavailableError } from "@ecomarket/shared/base/errors";
import { roleLogger } from "@ecomarket/shared/process/log";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";
import type { Consumer } from "@ecomarket/shared/subscriber";
import {
  countDeadLetters,
  countEffects,
  type DataDirOf,
  deadLettersByEvent,
  effectsByEvent,
  SUBSCRIBERS,
} from "@ecomarket/testbed/stores/effects";
import { readStore } from "@ecomarket/testbed/stores/read_store";
import { analytics } from "../../consumers/analytics.ts";
import { deadLetterConsumer } from "../../consumers/dead_letter.ts";
import { emailConsumer } from "../../consumers/email.ts";
import { loyalty } from "../../consumers/loyalty.ts";
import { simulatedMailer } from "../../consumers/mailer.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const SUBSCRIBER_CONSUMERS = {
  email: emailConsumer(simulatedMailer),
  loyalty,
  analytics,
} as const;

/** A message about one new user, as a queue hands it out. */
function delivery(headers: Record<string, unknown> = {}): ConsumeMessage {
  const { content, options } = encode(
    createUsuarioCreado({ user_id: "u-1", nombre: "María José", email: "mariajose@example.com" }),
  );
  return { content, properties: { ...options, headers } } as unknown as ConsumeMessage;
}

/** Lets `consumer` handle `messages`, each under an inbox id of its own: whatever comes is done. */
async function handle<T>(
  consumer: Consumer<T>,
  dataDirOf: (name: string) => string,
  ...messages: ConsumeMessage[]
): Promise<void> {
  const spec = consumer.spec([]);
  const owner = { subscriber: consumer.name, queue: spec.queue };
  await using store = SqliteStore.open(dataDirOf(consumer.name), owner, consumer.migrations);
  for (const message of messages) {
    const effect = await spec.handle(spec.decode(message).payload, {
      attempt: 1,
      signal: new AbortController().signal,
      log: roleLogger("test"),
    });
    await store.commit(crypto.randomUUID(), effect);
  }
}

Deno.test("SUBSCRIBERS are the workshop's three, in the order in which they are shown", () => {
  assert.deepEqual(SUBSCRIBERS, ["email", "loyalty", "analytics"]);
});

Deno.test("countEffects() and effectsByEvent() count the rows, and show an effect done twice", async () => {
  await using folder = await temporaryFolder();
  const dataDirOf: DataDirOf = (name) => join(folder.path, name);
  const [twice, once] = [delivery(), delivery()];
  for (const subscriber of SUBSCRIBERS) {
    const consumer = SUBSCRIBER_CONSUMERS[subscriber];
    await handle(consumer, (name) => join(folder.path, name), twice, twice, once);
    assert.equal(countEffects(subscriber, dataDirOf), 3, subscriber);
    assert.deepEqual(
      effectsByEvent(subscriber, dataDirOf),
      new Map([[twice.properties.messageId, 2], [once.properties.messageId, 1]]),
    );
  }
});

Deno.test("countEffects() and effectsByEvent() count sales beside signups, and purchases beside welcomes", async () => {
  await using folder = await temporaryFolder();
  const dataDirOf: DataDirOf = (name) => join(folder.path, name);
  const { content, options } = encode(createCompraRealizada({
    user_id: "u-1",
    total: 1250,
    currency: "MXN",
    items: [{ sku: "taza", quantity: 1 }],
  }));
  const purchase = {
    content,
    properties: { ...options, headers: {} },
  } as unknown as ConsumeMessage;
  const signup = delivery();
  for (const subscriber of ["loyalty", "analytics"] as const) {
    const consumer = SUBSCRIBER_CONSUMERS[subscriber];
    await handle(consumer, (name) => join(folder.path, name), signup, purchase, purchase);
    assert.equal(countEffects(subscriber, dataDirOf), 3, subscriber);
    assert.deepEqual(
      effectsByEvent(subscriber, dataDirOf),
      new Map([[signup.properties.messageId, 1], [purchase.properties.messageId, 2]]),
    );
  }
});

Deno.test("deadLettersByEvent() counts those of the subscriber's queue, countDeadLetters() all", async () => {
  await using folder = await temporaryFolder();
  const dataDirOf: DataDirOf = (name) => join(folder.path, name);
  const email = delivery({ "x-origin-queue": "email_queue" });
  const loyalty = delivery({ "x-origin-queue": "loyalty_queue" });
  const stray = delivery();
  const letters = [email, email, loyalty, stray];
  await handle(deadLetterConsumer, (name) => join(folder.path, name), ...letters);
  assert.equal(countDeadLetters(dataDirOf), 4);
  assert.deepEqual(
    deadLettersByEvent("email", dataDirOf),
    new Map([[email.properties.messageId, 2]]),
  );
  assert.deepEqual(deadLettersByEvent("analytics", dataDirOf), new Map());
});

Deno.test("countDeadLetters() counts neither tombstones nor copies, and reads an archive of before", async () => {
  await using folder = await temporaryFolder();
  const dataDirOf: DataDirOf = (name) => join(folder.path, name);
  await handle(deadLetterConsumer, dataDirOf, delivery(), delivery(), delivery());
  {
    using db = new DatabaseSync(join(folder.path, "dead_letters", "store.sqlite"));
    db.exec("UPDATE dead_letters SET copy_of = 1 WHERE id = 2");
    db.exec("UPDATE dead_letters SET discarded_in = 'op-1' WHERE id = 3");
  }
  assert.equal(countDeadLetters(dataDirOf), 1);
  {
    using db = new DatabaseSync(join(folder.path, "dead_letters", "store.sqlite"));
    db.exec("DROP VIEW waiting_letters");
  }
  assert.equal(countDeadLetters(dataDirOf), 3);
});

Deno.test("A store that is not there yet holds nothing, and is not made by looking", async () => {
  await using folder = await temporaryFolder();
  const dataDirOf: DataDirOf = (name) => join(folder.path, name);
  assert.equal(countEffects("email", dataDirOf), 0);
  assert.equal(countDeadLetters(dataDirOf), 0);
  assert.deepEqual(effectsByEvent("loyalty", dataDirOf), new Map());
  assert.deepEqual([...Deno.readDirSync(folder.path)], []);
});

Deno.test("countEffects() reads a store while its subscriber writes to it", async () => {
  await using folder = await temporaryFolder();
  const directory = join(folder.path, "email");
  await handle(SUBSCRIBER_CONSUMERS.email, () => directory, delivery());
  const owner = { subscriber: "email", queue: "email_queue" };
  await using store = SqliteStore.open(directory, owner, SUBSCRIBER_CONSUMERS.email.migrations);
  const committed = store.commit("e-1", []);
  assert.equal(countEffects("email", () => directory), 1);
  assert.equal(await committed, "committed");
});

Deno.test("readStore() says that a store is damaged, and what to do", async () => {
  await using folder = await temporaryFolder();
  await Deno.writeTextFile(
    join(folder.path, "store.sqlite"),
    "no es una base de datos ".repeat(99),
  );
  assert.throws(
    () => readStore(folder.path, (db) => db.prepare("SELECT 1 FROM sqlite_master").get()),
    (error) =>
      error instanceof StoreUnavailableError && /not a database.*backup/.test(error.message),
  );
});
