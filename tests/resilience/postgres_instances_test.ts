/** Several instances of each subscriber on one PostgreSQL: whatever is killed, each effect comes once. */
import assert from "node:assert/strict";
import { parseDatabaseUrl } from "@ecomarket/shared/process/database_url";
import { SUBSCRIBER_QUEUES } from "@ecomarket/shared/contract/topology";
import { signups } from "@ecomarket/testbed/events/signups";
import { CONSUMERS } from "@ecomarket/testbed/processes/roles";
import { runSql } from "@ecomarket/testbed/postgres/test_postgres";
import { SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";
import { deadLettersIn, holdingsIn, storesReader } from "@ecomarket/testbed/stores/stores_reader";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { postgresOfFile, postgresTest } from "../support/postgres_of_file.ts";
import { publishAll, startConsumer } from "../support/roles.ts";
import { terminate } from "../support/store_kinds.ts";

const broker = brokerOfFile();
const postgres = postgresOfFile();

postgresTest(
  "two instances of each subscriber do each event once, whoever is killed",
  async () => {
    await using bench = await Bench.open(broker);
    const url = await postgres.database();
    await using stores = await storesReader(() => "", parseDatabaseUrl(url));
    const options = { env: { DATABASE_URL: url } };
    const start = async (name: keyof typeof CONSUMERS) =>
      bench.cleanup.use(await startConsumer(bench, CONSUMERS[name], options));
    const instances = await Promise.all(
      [...SUBSCRIBERS, ...SUBSCRIBERS, "dead-letter" as const].map(start),
    );

    // Baseline.
    const events = signups(1_200);
    await publishAll(bench, events.slice(0, 100));
    const done = async (name: typeof SUBSCRIBERS[number]) =>
      (await holdingsIn(stores, name)).effects.size;
    const allDone = (count: number) =>
      eventually(async () => {
        for (const name of SUBSCRIBERS) assert.equal(await done(name), count, name);
      }, 60_000);
    await allDone(100);

    // Faults, while a backlog is worked off: one instance of each, then the server, then its connections.
    await publishAll(bench, events.slice(100, 600));
    for (const instance of instances.slice(0, SUBSCRIBERS.length)) await instance.kill();
    await publishAll(bench, events.slice(600, 1_100));
    await postgres.server.kill();
    await postgres.server.start();
    await runSql(postgres.server.urlOf(), terminate(new URL(url).pathname.slice(1)));
    const revived = await Promise.all(SUBSCRIBERS.map(start));
    assert.equal(revived.length, SUBSCRIBERS.length);
    await allDone(1_100);

    // A later delivery, and one that nobody can handle.
    await publishAll(bench, events.slice(1_100));
    bench.publishRaw("no es un evento");
    await allDone(1_200);
    await eventually(async () => assert.equal(await deadLettersIn(stores), SUBSCRIBERS.length));
    for (const name of SUBSCRIBERS) {
      const { effects } = await holdingsIn(stores, name);
      assert.deepEqual(
        Object.fromEntries([...effects].sort()),
        Object.fromEntries(events.map(({ event_id }) => [event_id, 1] as const).sort()),
        name,
      );
    }
    await bench.assertEmpty(...Object.values(SUBSCRIBER_QUEUES), "dead_letter_queue");
    assert.equal((await bench.status("email_queue")).consumers, 2);
  },
);
