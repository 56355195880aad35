/** What a role tells of itself: the words of its readiness, and its metrics. */
import assert from "node:assert/strict";
import { roleLogger } from "@ecomarket/shared/process/log";
import { createHealthApp } from "../../shared/health/health_server.ts";
import { apiHealth } from "../../publisher/api/api_health.ts";
import type { SubscriberState } from "../../shared/subscriber/observer.ts";
import { statusOf, SubscriberMeter } from "../../shared/subscriber/subscriber_health.ts";
import { newApi } from "../support/api_app.ts";
import { parseMetrics } from "../support/health.ts";

const BACKLOG = 'ecomarket_queue_backlog{queue="email_queue"}';
const newMeter = () => new SubscriberMeter({ name: "email", queue: "email_queue" });
const seriesOf = async (meter: SubscriberMeter) => parseMetrics(await meter.registry.metrics());

Deno.test("statusOf() is ready while it consumes, and degraded while it rests on purpose", () => {
  const states: readonly SubscriberState[] = [
    { state: "connecting" },
    { state: "consuming" },
    { state: "paused", reason: "the store is unavailable" },
    { state: "stopping" },
  ];
  assert.deepEqual(states.map(statusOf), ["unavailable", "ready", "degraded", "unavailable"]);
});

Deno.test("SubscriberMeter tells since when it is in its state, however often it hears of it", () => {
  let hours = 0;
  const clock = () => new Date(Date.UTC(2026, 0, 1, ++hours));
  const meter = new SubscriberMeter({ name: "email", queue: "email_queue" }, clock);
  meter.stateChanged({ state: "consuming" });
  meter.stateChanged({ state: "consuming" });
  assert.deepEqual(meter.readiness, {
    status: "ready",
    state: "consuming",
    queue: "email_queue",
    since: "2026-01-01T02:00:00.000Z",
  });
});

Deno.test("SubscriberMeter times a call of the handler that fails as well, and passes its error on", async () => {
  const meter = newMeter();
  assert.equal(await meter.calling(() => Promise.resolve(7)), 7);
  await assert.rejects(meter.calling(() => Promise.reject(new Error("no"))), /no/);
  assert.equal((await seriesOf(meter)).ecomarket_handler_seconds_count, 2);
});

Deno.test("SubscriberMeter asks for the backlog once for many who ask, and again on a new link", async () => {
  const meter = newMeter();
  let asked = 0;
  const session = (backlog: number) => ({
    inFlight: 3,
    backlog: () => (asked++, Promise.resolve(backlog)),
  });
  meter.sessionStarted(session(5));
  meter.stateChanged({ state: "consuming" });
  const all = await Promise.all([seriesOf(meter), seriesOf(meter), seriesOf(meter)]);
  assert.deepEqual(all.map((series) => series[BACKLOG]), [5, 5, 5]);
  assert.equal(all[0]?.ecomarket_in_flight, 3);
  assert.equal(asked, 1);
  meter.sessionStarted(session(6));
  assert.equal((await seriesOf(meter))[BACKLOG], 6);
});

Deno.test("SubscriberMeter waits a bounded time for a broker that does not answer, and asks it once", async () => {
  const meter = newMeter();
  let asked = 0;
  meter.sessionStarted({ inFlight: 0, backlog: () => (asked++, new Promise(() => {})) });
  meter.stateChanged({ state: "consuming" });
  assert.ok(!(BACKLOG in await seriesOf(meter)));
  assert.ok(!(BACKLOG in await seriesOf(meter)));
  assert.equal(asked, 1);
});

Deno.test("createHealthApp() answers 500 without the reason where readiness itself fails", async () => {
  const app = createHealthApp({
    readiness: () => Promise.reject(new Error("secreto")),
    metrics: newMeter().registry,
    log: roleLogger("test"),
  });
  const response = await app.request("/readyz");
  assert.equal(response.status, 500);
  assert.doesNotMatch(await response.text(), /secreto/);
  assert.equal((await app.request("/healthz")).status, 200);
});

Deno.test("apiHealth() tells the readiness of the API's own port, and what waits in its outbox", async () => {
  await using api = await newApi();
  api.relay.status = { state: "connecting" };
  await api.post({ nombre: "Juan", email: "juan@example.com" });
  const { store, relay } = api;
  const bounds = { maxEvents: 10, maxAgeMs: 60_000 };
  const app = createHealthApp(apiHealth({ store, relay, bounds, log: roleLogger("test") }));
  const { status, relay: told } = await (await app.request("/readyz")).json();
  assert.deepEqual({ status, told }, { status: "degraded", told: { state: "connecting" } });
  const series = parseMetrics(await (await app.request("/metrics")).text());
  assert.equal(series.ecomarket_outbox_events, 1);
  assert.ok(series.ecomarket_outbox_age_seconds! >= 0);
  assert.equal(series.ecomarket_relay_connected, 0);
});
