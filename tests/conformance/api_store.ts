/**
 * What any store of the users API owes, whichever database it is in: a user or a purchase, its event
 * and its answer, all or none, each request its own. A further implementation has only to be listed.
 */
import assert from "node:assert/strict";
import type { NewPurchase } from "@ecomarket/shared/contract/compra_realizada";
import type { NewUser } from "@ecomarket/shared/contract/usuario_creado";
import type { ApiStore, ApiStoreOptions } from "../../publisher/api/api_store.ts";
import { fingerprint, PRUNED_AT_ONCE } from "../../publisher/api/idempotency.ts";
import type { Purchase, PurchaseOutcome } from "../../publisher/api/purchases.ts";
import type { RequestResult } from "../../publisher/api/recorder.ts";
import type { Registration, User } from "../../publisher/api/users.ts";
import { confirm, waiting } from "../support/waiting.ts";

/** One place for one store, empty at first, which may be opened again after it was closed. */
export interface StorePlace extends AsyncDisposable {
  open(options?: ApiStoreOptions): Promise<ApiStore>;
  /** What `sql` finds in it, read past the store. Numbers and texts only. */
  rows(sql: string): Promise<readonly Record<string, unknown>[]>;
}

/** Defines a test, or leaves it out where its database cannot be had. */
export type DefineTest = (title: string, body: () => Promise<void>) => void;

/** A place of its own for each test. */
export type NewPlace = () => Promise<StorePlace>;

/** When whatever is given no time of its own happens. */
export const NOW = new Date("2026-03-01T12:00:00.000Z");
/** What is bought. */
export const ITEMS = [{ sku: "café-1kg", quantity: 2 }, { sku: "taza", quantity: 1 }];

/** A user to register; `n` makes the email its own. */
export function ana(n: number | string = ""): NewUser {
  return { nombre: "Ana Ñáñez", email: `ana${n}@example.com` };
}

function key(key: string, ...parts: string[]) {
  return { key, fingerprint: fingerprint(...parts) };
}

/** The user who was registered just now. */
export function createdUser(result: RequestResult<Registration>): User {
  assert.ok(result.kind === "done" && result.outcome.kind === "created");
  return result.outcome.user;
}

/** The purchase that was recorded just now. */
export function createdPurchase(result: RequestResult<PurchaseOutcome>): Purchase {
  assert.ok(result.kind === "done" && result.outcome.kind === "created");
  return result.outcome.purchase;
}

/** A purchase of a user who is registered in `store`, whose own event has left. */
export async function purchaseOfAna(
  store: ApiStore,
  n: number | string = "",
): Promise<NewPurchase & Pick<Purchase, "user_id">> {
  const { user_id, event_id } = createdUser(await store.users.register(ana(n)));
  const rows = await waiting(store.outbox, { part: { only: "UsuarioCreado" } });
  await confirm(store.outbox, rows.filter(({ eventId }) => eventId === event_id), NOW);
  return { user_id, total: Number.MAX_SAFE_INTEGER, currency: "MXN", items: ITEMS };
}

/** The promises of the store that `newPlace` makes, each as a test. `name` is the database's. */
export function testApiStore(
  name: string,
  newPlace: NewPlace,
  define: DefineTest = Deno.test,
): void {
  const test = (title: string, body: (place: StorePlace) => Promise<void>) =>
    define(`${name}: ${title}`, async () => {
      await using place = await newPlace();
      await body(place);
    });

  test("register() commits a user and its event, whose JSON is kept as it will be published", async (place) => {
    await using store = await place.open();
    const user = createdUser(await store.users.register(ana(), undefined, NOW));
    assert.deepEqual(await store.users.find(user.user_id), user);
    assert.equal(await store.users.find("nadie"), undefined);
    const [row, ...others] = await waiting(store.outbox);
    assert.equal(others.length, 0);
    const expected = {
      event_type: "UsuarioCreado",
      event_id: user.event_id,
      schema_version: 1,
      timestamp: NOW.toISOString(),
      user_id: user.user_id,
      ...ana(),
    };
    assert.deepEqual(JSON.parse(row!.event), expected);
    assert.equal(row!.eventId, user.event_id);
  });

  test("register() refuses an email that is taken, in whatever case, and no other request beside it", async (place) => {
    await using store = await place.open();
    const upper = { nombre: "Otra", email: "ANA1@Example.COM" };
    createdUser(await store.users.register(ana(1)));
    const results = await Promise.all(
      [upper, ana(2), ana(2)].map((user) => store.users.register(user)),
    );
    const kinds = results.map((result) => result.kind === "done" && result.outcome.kind);
    assert.equal(kinds[0], "email-taken");
    assert.deepEqual(kinds.slice(1).sort(), ["created", "email-taken"], "of two at once, one");
    assert.equal((await waiting(store.outbox)).length, 2);
    assert.equal((await place.rows("SELECT user_id FROM users")).length, 2);
  });

  test("register() answers a repeated key with the first result, also after the store was closed", async (place) => {
    const again = key("k-1", "a");
    let first: RequestResult<Registration>;
    {
      await using store = await place.open();
      first = await store.users.register(ana(), again, NOW);
    }
    await using store = await place.open();
    const second = await store.users.register(ana(), again, NOW);
    assert.deepEqual(second, { ...first, isReplay: true });
    assert.equal((await waiting(store.outbox)).length, 1);
    const taken = await store.users.register(ana(), key("k-2", "a"), NOW);
    assert.deepEqual(await store.users.register(ana(), key("k-2", "a"), NOW), {
      ...taken,
      isReplay: true,
    });
  });

  test("register() makes one user of many requests with one key at once, and gives all of them its answer", async (place) => {
    await using store = await place.open();
    const results = await Promise.all(
      Array.from({ length: 20 }, () => store.users.register(ana(), key("k-1", "a"))),
    );
    assert.equal(new Set(results.map((result) => createdUser(result).user_id)).size, 1);
    assert.equal(results.filter((result) => result.kind === "done" && !result.isReplay).length, 1);
    assert.equal((await waiting(store.outbox)).length, 1);
  });

  test("register() refuses a key that was used for another request", async (place) => {
    await using store = await place.open();
    await store.users.register(ana(1), key("k-1", "a"));
    assert.deepEqual(await store.users.register(ana(2), key("k-1", "b")), { kind: "key-reused" });
    assert.equal((await place.rows("SELECT user_id FROM users")).length, 1);
  });

  test("register() keeps no key of a request that was taken back", async (place) => {
    {
      await using store = await place.open();
      store.outbox.append = () => {
        throw new Error("no event today");
      };
      await assert.rejects(store.users.register(ana(), key("k-1", "a"), NOW), /no event today/);
      assert.deepEqual(await place.rows("SELECT user_id FROM users"), []);
      assert.deepEqual(await place.rows("SELECT key FROM idempotency_keys"), []);
    }
    await using store = await place.open();
    createdUser(await store.users.register(ana(), key("k-1", "a"), NOW));
  });

  test("register() forgets a key after its lifetime", async (place) => {
    const keyLifetimeMs = 60_000;
    await using store = await place.open({ keyLifetimeMs });
    const at = (ms: number) => new Date(NOW.getTime() + ms);
    await store.users.register(ana(1), key("k-1", "a"), NOW);
    const late = await store.users.register(ana(1), key("k-1", "a"), at(keyLifetimeMs - 1));
    assert.equal(late.kind === "done" && late.isReplay, true);
    const fresh = await store.users.register(ana(3), key("k-1", "c"), at(keyLifetimeMs));
    assert.equal(fresh.kind === "done" && fresh.isReplay, false);
    const again = await store.users.register(ana(3), key("k-1", "c"), at(keyLifetimeMs + 1));
    assert.equal(again.kind === "done" && again.isReplay, true);
  });

  test("keys.prune() removes expired keys in small batches, the oldest first, and no other", async (place) => {
    await using store = await place.open({ keyLifetimeMs: 1_000 });
    const at = (ms: number) => new Date(NOW.getTime() + ms);
    const many = PRUNED_AT_ONCE + 20;
    await Promise.all(
      Array.from(
        { length: many },
        (_, n) => store.users.register(ana(), key(`k-${n}`, "a"), at(Math.floor(n / 10))),
      ),
    );
    await store.users.register(ana(), key("young", "a"), at(1_000));
    assert.equal(await store.keys.prune(at(500)), 0, "none is expired");
    assert.equal(await store.keys.prune(at(1_999)), PRUNED_AT_ONCE);
    const left = await place.rows("SELECT min(used_at_ms) AS ms FROM idempotency_keys");
    assert.equal(Number(left[0]!.ms), NOW.getTime() + PRUNED_AT_ONCE / 10);
    assert.equal(await store.keys.prune(at(1_999)), 20);
    assert.deepEqual(await place.rows("SELECT key FROM idempotency_keys"), [{ key: "young" }]);
  });

  test("checkWritable() writes, and changes nothing that anybody registered", async (place) => {
    await using store = await place.open();
    const user = createdUser(await store.users.register(ana()));
    const checks = () => place.rows("SELECT checked_at FROM write_checks");
    await store.checkWritable();
    const before = await checks();
    await new Promise((resolve) => setTimeout(resolve, 2));
    await store.checkWritable();
    assert.notDeepEqual(await checks(), before, "it was a real write");
    assert.deepEqual(await place.rows("SELECT event_id FROM users"), [{ event_id: user.event_id }]);
    assert.equal((await waiting(store.outbox)).length, 1);
  });

  test("add() commits a purchase and its event, whose JSON is kept as it will be published", async (place) => {
    await using store = await place.open();
    const purchase = await purchaseOfAna(store);
    const added = createdPurchase(await store.purchases.add(purchase, undefined, NOW));
    assert.deepEqual(await store.purchases.find(added.purchase_id), added);
    assert.equal(await store.purchases.find("ninguna"), undefined);
    const [row, ...others] = await waiting(store.outbox);
    assert.equal(others.length, 0);
    const expected = {
      event_type: "CompraRealizada",
      event_id: added.event_id,
      schema_version: 2,
      timestamp: NOW.toISOString(),
      purchase_id: added.purchase_id,
      ...purchase,
    };
    assert.equal(row!.event, JSON.stringify(expected));
    assert.equal(row!.eventId, added.event_id);
  });

  test("add() takes a purchase of a registered user and with an id of its own, and no other beside it", async (place) => {
    await using store = await place.open();
    const ofAna = await purchaseOfAna(store);
    createdPurchase(await store.purchases.add({ ...ofAna, purchase_id: "p-1" }));
    const requests = [
      { ...ofAna, purchase_id: "p-1", total: 7 },
      { ...ofAna, user_id: "nadie" },
      { ...ofAna, purchase_id: "p-2" },
    ];
    const results = await Promise.all(requests.map((request) => store.purchases.add(request)));
    assert.deepEqual(
      results.map((result) => result.kind === "done" && result.outcome.kind),
      ["id-taken", "unknown-user", "created"],
    );
    assert.equal((await place.rows("SELECT purchase_id FROM purchases")).length, 2);
    assert.equal((await store.outbox.backlog(NOW)).events, 2);
  });

  test("add() makes one purchase of many requests with one key at once, also after the store was closed", async (place) => {
    const again = key("k-1", "a");
    let ids: string[];
    let ofAna;
    {
      await using store = await place.open();
      const purchase = ofAna = await purchaseOfAna(store);
      const results = await Promise.all(
        Array.from({ length: 20 }, () => store.purchases.add(purchase, again)),
      );
      ids = results.map((result) => createdPurchase(result).purchase_id);
    }
    await using store = await place.open();
    ids.push(createdPurchase(await store.purchases.add(ofAna, again)).purchase_id);
    assert.equal(new Set(ids).size, 1);
    assert.equal((await store.outbox.backlog(NOW)).events, 1);
  });

  test("users and purchases share one space of keys", async (place) => {
    await using store = await place.open();
    const purchase = await purchaseOfAna(store);
    createdPurchase(await store.purchases.add(purchase, key("k-1", "a")));
    assert.deepEqual(await store.users.register(ana(2), key("k-1", "b")), { kind: "key-reused" });
  });
}
