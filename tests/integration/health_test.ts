/** What the roles tell on `HEALTH_PORT`, each as a process in its sandbox. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { encode } from "@ecomarket/shared/contract/catalogue";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import { CONSUMERS } from "@ecomarket/testbed/processes/roles";
import { lockStore } from "@ecomarket/testbed/stores/store_lock";
import { runDeno } from "../../testbed/project/run_deno.ts";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { HealthClient } from "../support/health.ts";
import { RawClient } from "../support/raw_client.ts";
import { startConsumer } from "../support/roles.ts";
import { registerAll, startApi } from "../support/users_api.ts";

const broker = brokerOfFile();

const ON_ANY_PORT = { HEALTH_PORT: "0", SIMULATE_FAILURES: "1" };
const JUAN = { user_id: "u-1", nombre: "Juan", email: "juan@example.com" };

/** Publishes an event that asks a subscriber to fail, `copies` times. */
function publish(bench: Bench, asksToFail?: string, copies = 1): void {
  const { content, options } = encode(createUsuarioCreado(JUAN));
  const headers = asksToFail ? { "x-simulate-failures": asksToFail } : {};
  for (let n = 0; n < copies; n++) {
    bench.publishRaw(content.toString(), { ...options, headers });
  }
}

Deno.test("a consumer counts each end of a delivery once, and tells what waits", async () => {
  await using bench = await Bench.open(broker);
  const health = new HealthClient();
  {
    await using _email = await startConsumer(bench, CONSUMERS.email, {
      env: ON_ANY_PORT,
      onRecord: health.onRecord,
    });
    publish(bench);
    publish(bench, undefined, 3);
    publish(bench, "email:2");
    publish(bench, "email:always");
    bench.publishRaw("{");
    await eventually(async () => {
      const metrics = await health.metrics();
      const seen = Object.entries(metrics).filter(([name]) => /^ecomarket_events/.test(name));
      assert.deepEqual(Object.fromEntries(seen), {
        ecomarket_events_handled_total: 3,
        ecomarket_events_duplicates_total: 2,
        ecomarket_events_retried_total: 5,
        ecomarket_events_put_back_total: 0,
        'ecomarket_events_dead_lettered_total{reason="invalid-message"}': 1,
        'ecomarket_events_dead_lettered_total{reason="newer-event"}': 0,
        'ecomarket_events_dead_lettered_total{reason="permanent-error"}': 0,
        'ecomarket_events_dead_lettered_total{reason="retries-exhausted"}': 1,
        'ecomarket_events_dead_lettered_total{reason="handler-timeout"}': 0,
      });
      // Two at once, three tries of one, four of another.
      assert.equal(metrics.ecomarket_handler_seconds_count, 9);
      assert.equal(metrics.ecomarket_consuming, 1);
      assert.equal(metrics.ecomarket_in_flight, 0);
      assert.equal(metrics['ecomarket_queue_backlog{queue="email_queue"}'], 0);
    });
  }
  await bench.assertEmpty("email_queue");
  assert.equal(await bench.depth("dead_letter_queue"), 2);
});

Deno.test("a consumer is ready while it consumes, unavailable without its broker, and alive all the time", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  const health = new HealthClient();
  await using _archive = await startConsumer(bench, CONSUMERS["dead-letter"], {
    amqpUrls: [proxy.urlFor(bench.amqpUrl)],
    env: ON_ANY_PORT,
    onRecord: health.onRecord,
  });
  const queue = "dead_letter_queue";
  const ready = { code: 200, status: "ready", state: "consuming", queue };
  await eventually(async () => assert.deepEqual(await health.readiness(), ready));
  proxy.refuse();
  const away = { code: 503, status: "unavailable", state: "connecting", queue };
  await eventually(async () => assert.deepEqual(await health.readiness(), away));
  assert.equal((await health.fetch("/healthz")).status, 200);
  const metrics = await health.metrics();
  assert.equal(metrics.ecomarket_consuming, 0);
  assert.ok(!('ecomarket_queue_backlog{queue="dead_letter_queue"}' in metrics), "it is not known");
  proxy.restore();
  await eventually(async () => assert.deepEqual(await health.readiness(), ready));
  bench.publishRaw("later", {}, "dead_letters");
  await eventually(async () => {
    assert.equal((await health.metrics()).ecomarket_events_handled_total, 1);
  });
});

Deno.test("a consumer whose store is away rests, says so, and is not to be replaced for it", async () => {
  await using bench = await Bench.open(broker);
  const health = new HealthClient();
  await using _email = await startConsumer(bench, CONSUMERS.email, {
    env: ON_ANY_PORT,
    onRecord: health.onRecord,
  });
  {
    using _lock = lockStore(join(bench.directory, "email"));
    publish(bench);
    await eventually(async () =>
      assert.deepEqual(await health.readiness(), {
        code: 200,
        status: "degraded",
        state: "paused",
        reason: "the store is unavailable",
        queue: "email_queue",
      })
    );
    await eventually(async () => {
      const metrics = await health.metrics();
      assert.equal(metrics.ecomarket_consuming, 0);
      assert.equal(metrics['ecomarket_queue_backlog{queue="email_queue"}'], 1);
      // More than once where its copy came before the consumer was gone.
      assert.ok(metrics.ecomarket_events_put_back_total! >= 1);
    });
  }
  await eventually(async () => {
    assert.equal((await health.readiness()).status, "ready");
    assert.equal((await health.metrics()).ecomarket_events_handled_total, 1);
  });
});

Deno.test("a consumer tells nobody but this machine, and only what it is asked with GET", async () => {
  await using bench = await Bench.open(broker);
  const health = new HealthClient();
  await using _email = await startConsumer(bench, CONSUMERS.email, {
    env: ON_ANY_PORT,
    onRecord: health.onRecord,
  });
  assert.match(await health.url(), /^http:\/\/127\.0\.0\.1:\d+$/);
  for (const path of ["/healthz", "/readyz", "/metrics"]) {
    const head = await health.fetch(path, { method: "HEAD" });
    assert.equal(head.status, 200);
    const post = await health.fetch(path, { method: "POST", body: "{}" });
    assert.equal(post.status, 405);
    assert.equal(post.headers.get("Allow"), "GET, HEAD");
    await post.body?.cancel();
  }
  const elsewhere = await health.fetch("/");
  assert.equal(elsewhere.status, 404);
  await elsewhere.body?.cancel();
});

Deno.test("a consumer ends with 0 when it is asked to stop, whatever a client of its health does", async () => {
  await using bench = await Bench.open(broker);
  const health = new HealthClient();
  await using email = await startConsumer(bench, CONSUMERS.email, {
    env: ON_ANY_PORT,
    onRecord: health.onRecord,
  });
  await using half = await RawClient.connect(await health.url());
  await half.send("GET /metrics HTTP/1.1\r\nHos");
  await using idle = await RawClient.connect(await health.url());
  await idle.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
  await eventually(() => assert.match(idle.heard, /^HTTP\/1\.1 200/));
  const { code } = await email.stop(10_000);
  assert.equal(code, 0);
});

Deno.test("a consumer whose HEALTH_PORT is taken says so, and does not begin", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = taken.addr as Deno.NetAddr;
  const { code, stderr } = await runDeno(["task", "consumer:email"], {
    HEALTH_PORT: String(port),
    AMQP_URL: broker.amqpUrl,
  });
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`listens on port ${port} of 127.0.0.1.*HEALTH_PORT=\\d+`, "s"));
});

Deno.test("users-api tells how long its outbox waits while the broker is away, apart from its own port", async () => {
  await using bench = await Bench.open(broker);
  await using proxy = TcpProxy.before(bench.amqpUrl);
  proxy.refuse();
  const health = new HealthClient();
  await using api = await startApi(bench, {
    amqpUrls: [proxy.urlFor(bench.amqpUrl)],
    env: ON_ANY_PORT,
    onRecord: health.onRecord,
  });
  await registerAll(api, 2);
  const { ecomarket_outbox_age_seconds: before = NaN } = await health.metrics();
  await eventually(async () => {
    const { ecomarket_outbox_events: events, ...metrics } = await health.metrics();
    assert.equal(events, 2);
    assert.equal(metrics.ecomarket_relay_connected, 0);
    assert.ok(metrics.ecomarket_outbox_age_seconds! > before, "it grows");
  });
  const { code, status } = await health.readiness();
  assert.deepEqual({ code, status }, { code: 200, status: "degraded" });
  const own = await fetch(`${api.url}/metrics`);
  assert.equal(own.status, 404, "its own port shows no figures");
  await own.body?.cancel();
  proxy.restore();
  await eventually(async () =>
    assert.deepEqual(await health.metrics(), {
      ecomarket_outbox_events: 0,
      ecomarket_outbox_age_seconds: 0,
      ecomarket_relay_connected: 1,
    })
  );
  assert.equal((await health.readiness()).status, "ready");
});
