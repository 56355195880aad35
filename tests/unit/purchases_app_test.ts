/** What `/purchases` answers, over a real store. */
import assert from "node:assert/strict";
import { MAX_PURCHASE_BYTES } from "../../publisher/api/purchase_routes.ts";
import { type Answer, newApi } from "../support/api_app.ts";
import { confirm, waiting, waitingIds } from "../support/waiting.ts";

const JUAN = { nombre: "Juan Pérez", email: "juan@example.com" };
const ITEMS = [{ sku: "café-1kg", quantity: 2 }];

/** An API in which Juan is registered, and nothing else waits in the outbox. */
async function apiOfJuan() {
  const api = await newApi();
  const { body: juan } = await api.post(JUAN);
  await confirm(api.store.outbox, await waiting(api.store.outbox));
  const purchase = { user_id: juan.user_id, total: 1250, currency: "MXN", items: ITEMS };
  const buy = (body: unknown, headers: Record<string, string> = {}) =>
    api.postTo("/purchases", body, headers);
  return {
    ...api,
    juan,
    purchase,
    buy,
    waiting: () => waitingIds(api.store.outbox),
  };
}

Deno.test("POST /purchases answers 201 with the purchase, its place and its event_id, and the event waits", async () => {
  await using api = await apiOfJuan();
  const { response, body } = await api.buy({ ...api.purchase, purchase_id: "p/1 ñ", propina: 7 });
  assert.equal(response.status, 201);
  const { created_at, event_id, ...told } = body;
  assert.deepEqual(told, { purchase_id: "p/1 ñ", ...api.purchase });
  assert.ok(!Number.isNaN(Date.parse(created_at)));
  assert.deepEqual(await api.waiting(), [event_id]);

  const location = response.headers.get("Location")!;
  assert.equal(location, "/purchases/p%2F1%20%C3%B1");
  const found = await api.app.request(location);
  assert.equal(found.status, 200);
  assert.deepEqual(await found.json(), body);
});

Deno.test("POST /purchases gives a purchase without an id one of its own", async () => {
  await using api = await apiOfJuan();
  const [first, second] = [await api.buy(api.purchase), await api.buy(api.purchase)];
  assert.deepEqual([first.response.status, second.response.status], [201, 201]);
  assert.notEqual(first.body.purchase_id, second.body.purchase_id);
  assert.equal((await api.waiting()).length, 2);
});

Deno.test("POST /purchases refuses what it cannot record, says why, and announces nothing", async () => {
  await using api = await apiOfJuan();
  const { purchase } = api;
  await api.buy({ ...purchase, purchase_id: "p-1" });
  const unknown = "is no user that is registered here";
  const whole = "must be a whole number of minor units (cents) from 0 up";
  const refused: [unknown, status: number, errors: readonly [string, string][] | undefined][] = [
    ["[]", 400, []],
    [{ ...purchase, total: 12.5 }, 400, [["total", whole]]],
    [{ ...purchase, total: "1250" }, 400, [["total", "must be a number"]]],
    [{ ...purchase, currency: "pesos" }, 400, [
      ["currency", "must be an ISO 4217 code such as EUR"],
    ]],
    [{ ...purchase, items: [] }, 400, [["items", "must have at least one item"]]],
    [{ ...purchase, items: [{ sku: "café" }] }, 400, [["items.0.quantity", "is missing"]]],
    [{ ...purchase, purchase_id: ".." }, 400, [["purchase_id", "must not be . or .."]]],
    [{ ...purchase, user_id: "nadie" }, 422, [["user_id", unknown]]],
    [{ ...purchase, purchase_id: "p-1" }, 409, undefined],
    [{ ...purchase, purchase_id: "p-1", user_id: "nadie" }, 422, [["user_id", unknown]]],
    [{ ...purchase, relleno: "x".repeat(MAX_PURCHASE_BYTES) }, 413, undefined],
  ];
  for (const [body, status, errors] of refused) {
    const answer = await api.buy(body);
    const what = JSON.stringify(answer.body);
    assert.equal(answer.response.status, status, what);
    assert.equal(answer.response.headers.get("Content-Type"), "application/problem+json");
    const expected = errors?.map(([field, reason]) => ({ field, reason }));
    assert.deepEqual(answer.body.errors, expected, what);
  }
  assert.equal((await api.waiting()).length, 1);
  assert.equal((await api.buy(purchase, { "Content-Type": "text/plain" })).response.status, 415);
});

Deno.test("POST /purchases takes 200 items with the longest SKUs", async () => {
  await using api = await apiOfJuan();
  const items = Array.from({ length: 200 }, () => ({
    sku: "🌱".repeat(64),
    quantity: Number.MAX_SAFE_INTEGER,
  }));
  const { response, body } = await api.buy({ ...api.purchase, items });
  assert.equal(response.status, 201);
  assert.deepEqual(body.items, items);
});

Deno.test("POST /purchases does a request once for each Idempotency-Key, and shares the keys with POST /users", async () => {
  await using api = await apiOfJuan();
  const replayed = ({ response }: Answer) => response.headers.get("Idempotency-Replayed");
  const key = { "Idempotency-Key": "k-1" };
  const first = await api.buy(api.purchase, key);
  const again = await api.buy({ ...api.purchase, purchase_id: undefined }, key);
  assert.deepEqual([replayed(first), replayed(again)], [null, "true"]);
  assert.equal(again.response.headers.get("Location"), first.response.headers.get("Location"));
  assert.deepEqual(again.body, first.body);
  assert.equal((await api.waiting()).length, 1);

  const { items: [item] } = api.purchase;
  const others = [
    { ...api.purchase, purchase_id: first.body.purchase_id },
    { ...api.purchase, total: 1251 },
    { ...api.purchase, currency: "EUR" },
    { ...api.purchase, items: [item, item] },
  ];
  for (const other of others) assert.equal((await api.buy(other, key)).response.status, 422);
  assert.equal((await api.post(JUAN, key)).response.status, 422, "a key of a purchase");
  const ofUser = { "Idempotency-Key": "k-2" };
  await api.post({ nombre: "Ana", email: "ana@example.com" }, ofUser);
  const misused = await api.buy(api.purchase, ofUser);
  assert.equal(misused.response.status, 422);
  assert.match(misused.body.detail, /used for another request: take a new key/);
  assert.equal((await api.waiting()).length, 2);
});

Deno.test("POST /purchases gives the first refusal again to the same Idempotency-Key", async () => {
  await using api = await apiOfJuan();
  const key = { "Idempotency-Key": "k-1" };
  for (const expected of [null, "true"]) {
    const { response } = await api.buy({ ...api.purchase, user_id: "nadie" }, key);
    assert.equal(response.status, 422);
    assert.equal(response.headers.get("Idempotency-Replayed"), expected);
  }
});

Deno.test("/purchases answers 404 to what is not there, and 405 with Allow to what is not meant", async () => {
  await using api = await apiOfJuan();
  assert.equal((await api.app.request("/purchases/ninguna")).status, 404);
  const notAllowed = [
    ["GET", "/purchases", "POST"],
    ["DELETE", "/purchases/p-1", "GET, HEAD"],
  ] as const;
  for (const [method, path, allow] of notAllowed) {
    const response = await api.app.request(path, { method });
    assert.equal(response.status, 405);
    assert.equal(response.headers.get("Allow"), allow);
  }
});
