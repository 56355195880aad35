/** The users API without a port: each answer, over a real store. */
import assert from "node:assert/strict";
import { DatabaseSync } from "node:sqlite";
import { MAX_USER_BYTES } from "../../publisher/api/user_routes.ts";
import { newApi } from "../support/api_app.ts";
import { waitingIds } from "../support/waiting.ts";

const JUAN = { nombre: "Juan Pérez", email: "juan@example.com" };
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

async function assertProblem(response: Response, status: number): Promise<string> {
  assert.equal(response.status, status);
  assert.equal(response.headers.get("Content-Type"), "application/problem+json");
  const body = await response.json();
  assert.equal(body.status, status);
  assert.equal(body.type, "about:blank");
  assert.ok(body.title.length > 0);
  return body.detail;
}

Deno.test("POST /users answers 201 with the user, its place and its event_id, and the event waits", async () => {
  await using api = await newApi();
  const { response, body } = await api.post(JUAN);
  assert.equal(response.status, 201);
  assert.deepEqual(Object.keys(body), ["user_id", "nombre", "email", "created_at", "event_id"]);
  assert.deepEqual({ nombre: body.nombre, email: body.email }, JUAN);
  assert.match(body.user_id, UUID);
  assert.match(body.event_id, UUID);
  assert.ok(!Number.isNaN(Date.parse(body.created_at)));
  assert.equal(response.headers.get("Location"), `/users/${body.user_id}`);
  assert.deepEqual(await waitingIds(api.store.outbox), [body.event_id]);

  const found = await api.app.request(response.headers.get("Location")!);
  assert.equal(found.status, 200);
  assert.deepEqual(await found.json(), body);
});

Deno.test("POST /users understands name for nombre, and both when they are the same", async () => {
  await using api = await newApi();
  const { nombre, email } = JUAN;
  assert.equal((await api.post({ name: nombre, email })).body.nombre, nombre);
  const both = { name: nombre, nombre, email: "otro@example.com" };
  assert.equal((await api.post(both)).response.status, 201);
});

Deno.test("POST /users trims, ignores unknown fields, and takes no id from a client", async () => {
  await using api = await newApi();
  const { body } = await api.post({
    nombre: "  Ana  ",
    email: " ana@example.com ",
    user_id: "mío",
    rol: "admin",
  });
  assert.deepEqual([body.nombre, body.email], ["Ana", "ana@example.com"]);
  assert.match(body.user_id, UUID);
  assert.equal("rol" in body, false);
});

Deno.test("POST /users answers 400 with each field's problem", async () => {
  await using api = await newApi();
  const missing = "is missing";
  const cases: [unknown, [field: string, reason: string][]][] = [
    [{}, [["nombre", missing], ["email", missing]]],
    [{ nombre: 7, email: "juan@" }, [["nombre", "must be a string"], [
      "email",
      "must be an email address such as juan@example.com",
    ]]],
    [{ nombre: "a\u0007", email: "a@b.co" }, [["nombre", "must not contain control characters"]]],
    [{ ...JUAN, nombre: "ñ".repeat(201) }, [["nombre", "must have at most 200 characters"]]],
    [{ ...JUAN, name: "Otro" }, [["name", "must be the same as nombre, or be left out"]]],
  ];
  for (const [request, expected] of cases) {
    const { response, body } = await api.post(request);
    assert.equal(response.status, 400, JSON.stringify(request));
    assert.equal(response.headers.get("Content-Type"), "application/problem+json");
    const errors = expected.map(([field, reason]) => ({ field, reason }));
    assert.deepEqual(body.errors, errors);
  }
  assert.equal((await api.store.outbox.backlog(new Date())).events, 0);
});

Deno.test("POST /users answers 400 to what is no JSON object", async () => {
  await using api = await newApi();
  for (const text of ["", "{", "[]", "null", '"juan"', "7"]) {
    const { response, body } = await api.post(text);
    assert.equal(response.status, 400, text);
    assert.match(
      body.detail,
      /A body like .* is expected: the body is not (a JSON object|valid JSON)/,
    );
  }
  const response = await api.app.request("/users", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: new Uint8Array([0x7b, 0xff, 0x7d]),
  });
  assert.match(await assertProblem(response, 400), /not valid UTF-8/);
});

Deno.test("POST /users answers 409 to an email that is registered, in whatever case", async () => {
  await using api = await newApi();
  await api.post(JUAN);
  const { response, body } = await api.post({ nombre: "Otro", email: "JUAN@example.COM" });
  assert.equal(response.status, 409);
  assert.match(body.detail, /registered already/);
  assert.equal((await api.store.outbox.backlog(new Date())).events, 1);
});

Deno.test("POST /users answers 413 to a body over 16 KiB, with and without Content-Length", async () => {
  await using api = await newApi();
  const atLimit = JSON.stringify({ ...JUAN, relleno: "" });
  const fitting = JSON.stringify({
    ...JUAN,
    relleno: "x".repeat(MAX_USER_BYTES - atLimit.length - 1),
  });
  assert.equal((await api.post(fitting)).response.status, 201);

  const large = JSON.stringify({ nombre: "x".repeat(MAX_USER_BYTES), email: "x@example.com" });
  const headers = { "Content-Type": "application/json" };
  const known = { ...headers, "Content-Length": String(large.length) };
  const declared = await api.app.request("/users", { method: "POST", headers: known, body: large });
  assert.match(await assertProblem(declared, 413), /16384 bytes/);
  let pulled = 0;
  const endless = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(1024).fill(0x20));
    },
  });
  const streamed = await api.app.request("/users", { method: "POST", headers, body: endless });
  await assertProblem(streamed, 413);
  assert.ok(pulled < 30, "the rest is not read");
});

Deno.test("POST /users answers 415 to what is not declared as plain JSON", async () => {
  await using api = await newApi();
  const types = ["application/x-www-form-urlencoded", "text/plain", "application/jsonp", ""];
  for (const type of types) {
    const { response, body } = await api.post(JUAN, { "Content-Type": type });
    assert.equal(response.status, 415, type);
    assert.match(body.detail, /Content-Type: application\/json/);
  }
  assert.equal((await api.post(JUAN, { "Content-Encoding": "gzip" })).response.status, 415);
  const type = "Application/JSON; charset=utf-8";
  assert.equal((await api.post(JUAN, { "Content-Type": type })).response.status, 201);
});

Deno.test("POST /users gives the first answer again to the same Idempotency-Key and user", async () => {
  await using api = await newApi();
  const headers = { "Idempotency-Key": '"8e03978e-40d5"' };
  const first = await api.post(JUAN, headers);
  assert.equal(first.response.headers.get("Idempotency-Replayed"), null);
  const { nombre, email } = JUAN;
  const second = await api.post({ email, name: nombre }, headers);
  assert.equal(second.response.status, 201);
  assert.equal(second.response.headers.get("Idempotency-Replayed"), "true");
  assert.equal(second.response.headers.get("Location"), `/users/${first.body.user_id}`);
  assert.deepEqual(second.body, first.body);
  assert.equal((await api.store.outbox.backlog(new Date())).events, 1);

  const taken = { "Idempotency-Key": "otra" };
  assert.equal((await api.post(JUAN, taken)).response.status, 409);
  const again = await api.post(JUAN, taken);
  assert.equal(again.response.status, 409);
  assert.equal(again.response.headers.get("Idempotency-Replayed"), "true");
});

Deno.test("POST /users makes one user of concurrent requests with one Idempotency-Key", async () => {
  await using api = await newApi();
  const answers = await Promise.all(
    Array.from({ length: 10 }, () => api.post(JUAN, { "Idempotency-Key": "k" })),
  );
  for (const { response, body } of answers) {
    assert.equal(response.status, 201);
    assert.deepEqual(body, answers[0]!.body);
  }
  assert.equal((await api.store.outbox.backlog(new Date())).events, 1);
});

Deno.test("POST /users answers 422 to an Idempotency-Key of another user", async () => {
  await using api = await newApi();
  const headers = { "Idempotency-Key": "k" };
  await api.post(JUAN, headers);
  const { response, body } = await api.post({ ...JUAN, nombre: "Otro" }, headers);
  assert.equal(response.status, 422);
  assert.match(body.detail, /take a new key/);
});

Deno.test("POST /users answers 400 to an Idempotency-Key that is none", async () => {
  await using api = await newApi();
  for (const key of ["", "x".repeat(256), "clavé"]) {
    const { response, body } = await api.post(JUAN, { "Idempotency-Key": key });
    assert.equal(response.status, 400, key);
    assert.match(body.detail, /1 to 255 printable ASCII/);
  }
  const longest = { "Idempotency-Key": "x".repeat(255) };
  assert.equal((await api.post(JUAN, longest)).response.status, 201);
});

Deno.test("the API answers 404 to what is not there, and 405 with Allow to what is not meant", async () => {
  await using api = await newApi();
  await assertProblem(await api.app.request("/users/nadie"), 404);
  await assertProblem(await api.app.request("/otra"), 404);
  const notAllowed = [
    ["GET", "/users", "POST"],
    ["DELETE", "/users", "POST"],
    ["PUT", "/users/1", "GET, HEAD"],
    ["POST", "/healthz", "GET, HEAD"],
    ["DELETE", "/readyz", "GET, HEAD"],
  ] as const;
  for (const [method, path, allow] of notAllowed) {
    const response = await api.app.request(path, { method });
    assert.equal(response.headers.get("Allow"), allow, `${method} ${path}`);
    await assertProblem(response, 405);
  }
});

Deno.test("the API answers 503 with Retry-After while its store is locked, and registers after it", async () => {
  await using api = await newApi();
  using intruder = new DatabaseSync(api.file);
  intruder.exec("BEGIN IMMEDIATE");
  const { response, body } = await api.post(JUAN);
  assert.equal(response.status, 503);
  assert.equal(response.headers.get("Retry-After"), "1");
  assert.doesNotMatch(body.detail, /locked|sqlite/i);
  const unready = await api.app.request("/readyz");
  assert.equal(unready.status, 503);
  const report = await unready.json();
  assert.equal(report.status, "unavailable");
  assert.match(report.store.problem, /database is locked/);
  assert.equal((await api.app.request("/healthz")).status, 200);
  intruder.exec("ROLLBACK");
  assert.equal((await api.post(JUAN)).response.status, 201);
});

Deno.test("the API answers 500 without a stack to a defect of its own", async () => {
  await using api = await newApi();
  using vandal = new DatabaseSync(api.file);
  vandal.exec("DROP TABLE users");
  const { response, body } = await api.post(JUAN);
  assert.equal(response.status, 500);
  assert.doesNotMatch(JSON.stringify(body), /no such table|\.ts|users/);
});

Deno.test("GET /healthz answers ok", async () => {
  await using api = await newApi();
  const response = await api.app.request("/healthz");
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), { status: "ok" });
  assert.equal((await api.app.request("/healthz", { method: "HEAD" })).status, 200);
});

Deno.test("GET /readyz is ready with a relay that is connected and a backlog within its bounds", async () => {
  await using api = await newApi();
  const response = await api.app.request("/readyz");
  assert.equal(response.status, 200);
  assert.deepEqual(await response.json(), {
    status: "ready",
    store: { writable: true },
    relay: { state: "connected" },
    backlog: { events: 0, oldestAgeMs: 0, maxEvents: 10, maxAgeMs: 60_000, withinBounds: true },
  });
});

Deno.test("GET /readyz is degraded, and stays 200, without a connection or with too much backlog", async () => {
  await using api = await newApi({ maxEvents: 1, maxAgeMs: 60_000 });
  const ask = async () => {
    const response = await api.app.request("/readyz");
    assert.equal(response.status, 200);
    return await response.json();
  };
  api.relay.status = { state: "connecting", problem: "No broker answered" };
  const away = await ask();
  assert.equal(away.status, "degraded");
  assert.deepEqual(away.relay, { state: "connecting", problem: "No broker answered" });
  api.relay.status = { state: "connected" };
  await api.post(JUAN);
  assert.equal((await ask()).status, "ready");
  await api.post({ nombre: "Ana", email: "ana@example.com" });
  const late = await ask();
  assert.equal(late.status, "degraded");
  assert.equal(late.backlog.events, 2);
  assert.equal(late.backlog.withinBounds, false);
});
