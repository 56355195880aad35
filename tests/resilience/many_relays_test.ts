/**
 * Two users APIs, each with its relay, on one PostgreSQL, while both and the database are killed: each
 * answered request has its event, each event its effects once, and no user's events change places.
 */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { EVENTS } from "@ecomarket/shared/contract/catalogue";
import { freePorts } from "@ecomarket/setup/machine/free_ports";
import { startRole, usersApi } from "@ecomarket/testbed/processes/roles";
import { queryRows } from "@ecomarket/testbed/postgres/test_postgres";
import { Supervisor } from "../../tasks/chaos/load/supervisor.ts";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { postgresOfFile, postgresTest } from "../support/postgres_of_file.ts";
import { Shoppers } from "../support/shoppers.ts";
import { assertEffects, startAllConsumers } from "../support/roles.ts";

const broker = brokerOfFile();
const postgres = postgresOfFile();

/** Rounds of faults; each kills an API, and breaks the database's connections in some way. */
const ROUNDS = 6;
const PROBE = "order_probe";
const PATIENCE_MS = 60_000;

postgresTest(
  "two APIs and their relays on one PostgreSQL, killed with it: every 201 has its effects once, and no user's events change places",
  async () => {
    await using bench = await Bench.open(broker);
    const url = await postgres.database();
    await bench.channel.assertQueue(PROBE, { arguments: { "x-queue-type": "quorum" } });
    for (const { exchange } of Object.values(EVENTS)) {
      await bench.channel.bindQueue(PROBE, exchange, "");
    }
    await startAllConsumers(bench);

    const amqpUrls = [await bench.urlOf("users-api")];
    const ports = await freePorts(2);
    const relayed = [0, 0];
    const apis = ports.map((port, index) =>
      bench.cleanup.use(
        new Supervisor(`users-api ${index}`, () =>
          startRole(usersApi(port), {
            amqpUrls,
            dataDir: bench.directory,
            env: { DATABASE_URL: url, LOG_LEVEL: "debug" },
            onRecord: ({ state }) => {
              if (state === "relaying") relayed[index]!++;
            },
          })),
      )
    );
    await Promise.all(apis.map((api) => api.start()));
    await using shoppers = Shoppers.start(ports.map((port) => `http://127.0.0.1:${port}`));
    await eventually(() => assert.ok(relayed.every((count) => count > 0)), PATIENCE_MS);

    let terminated = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const before = shoppers.answers;
      await eventually(() => assert.ok(shoppers.answers > before + 10), PATIENCE_MS);
      await delay(Math.random() * 200);
      if (round === ROUNDS - 1) {
        await postgres.server.kill();
        await delay(Math.random() * 500);
        await postgres.server.start();
      } else {
        terminated += await terminateAll(url);
        await apis[round % 2]!.kill();
      }
    }
    const deaths = apis.flatMap((api) => api.deaths);
    assert.ok(deaths.filter(({ signal }) => signal === "SIGKILL").length >= ROUNDS - 1);
    assert.ok(terminated > 0, "connections were ended");
    assert.ok(shoppers.repeated > 0, "and requests had to be repeated");
    assert.ok(shoppers.answers > 10 * ROUNDS, "while users registered and bought");

    await shoppers.finish();
    await eventually(async () => {
      assert.deepEqual(await queryRows(url, "SELECT event_id FROM users_api.outbox"), []);
    }, PATIENCE_MS);
    const users = shoppers.baskets.map(({ user }) => ({ event_id: user }));
    const purchases = shoppers.baskets.flatMap(({ purchases }) => purchases)
      .map((event_id) => ({ event_id }));
    const unannounced = "SELECT event_id FROM users_api.users WHERE announced_at IS NULL";
    assert.deepEqual(await queryRows(url, unannounced), []);
    const registered = await queryRows(url, "SELECT event_id FROM users_api.users");
    assert.equal(registered.length, users.length, "nobody was registered whom nobody was told of");
    await eventually(() => {
      assertEffects(bench, "email", users);
      assertEffects(bench, "loyalty", [...users, ...purchases]);
      assertEffects(bench, "analytics", [...users, ...purchases]);
    }, PATIENCE_MS);
    assert.equal(await bench.depth("dead_letter_queue"), 0);

    const first = new Map<string, number>();
    for (const [place, id] of (await bench.drainIds(PROBE)).entries()) {
      if (!first.has(id)) first.set(id, place);
    }
    for (const { purchases } of shoppers.baskets) {
      const places = purchases.map((id) => first.get(id)!);
      assert.deepEqual(
        places,
        places.toSorted((a, b) => a - b),
        "a user's purchases keep their order",
      );
    }
    assert.ok(relayed.every((count) => count > 0), "both relays have published");
  },
);

/** Ends the connections of everybody to the database at `url`. @returns how many. */
async function terminateAll(url: string): Promise<number> {
  const sql = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`;
  return (await queryRows(url, sql)).length;
}
