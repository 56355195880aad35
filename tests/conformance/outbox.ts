/** What any outbox owes to its relays, whichever database it is in. */
import assert from "node:assert/strict";
import type { ApiStore } from "../../publisher/api/api_store.ts";
import { confirm, waiting, waitingIds } from "../support/waiting.ts";
import {
  ana,
  createdPurchase,
  createdUser,
  type DefineTest,
  type NewPlace,
  NOW,
  purchaseOfAna,
  type StorePlace,
} from "./api_store.ts";

/** Registers `count` users one after the other, and returns their events' ids. */
async function registered({ users }: ApiStore, count: number, from = 0): Promise<string[]> {
  const ids: string[] = [];
  for (let n = from; n < from + count; n++) {
    ids.push(createdUser(await users.register(ana(`-${n}`), undefined, NOW)).event_id);
  }
  return ids;
}

/** The promises of the outbox in the store that `newPlace` makes. `name` is the database's. */
export function testOutbox(name: string, newPlace: NewPlace, define: DefineTest = Deno.test): void {
  const test = (title: string, body: (place: StorePlace) => Promise<void>) =>
    define(`${name}: ${title}`, async () => {
      await using place = await newPlace();
      await body(place);
    });

  test("claim() gives what was committed one after the other in that order, and a limited number of it", async (place) => {
    await using store = await place.open();
    const ids = await registered(store, 5);
    assert.deepEqual(await waitingIds(store.outbox), ids);
    assert.deepEqual(await waitingIds(store.outbox, { limit: 2 }), ids.slice(0, 2));
  });

  test("settle() lets go of what is confirmed alone, and notes the first time that it was", async (place) => {
    await using store = await place.open();
    const ids = await registered(store, 4);
    const [first, second, third] = await waiting(store.outbox);
    await confirm(store.outbox, [first!, third!], NOW);
    assert.deepEqual(await waitingIds(store.outbox), [ids[1], ids[3]]);
    await confirm(store.outbox, [first!], new Date());
    const announced = await place.rows(
      "SELECT event_id AS id, announced_at AS at FROM users WHERE announced_at IS NOT NULL",
    );
    const expected = [ids[0], ids[2]].map((id) => ({ id, at: NOW.toISOString() }));
    assert.deepEqual([...announced].sort(byId), expected.sort(byId));
    await confirm(store.outbox, [second!], NOW);
    assert.deepEqual(await waitingIds(store.outbox), [ids[3]]);
  });

  test("settle() notes when a purchase was announced", async (place) => {
    await using store = await place.open();
    const purchase = await purchaseOfAna(store);
    for (const purchase_id of ["p-1", "p-2"]) {
      await store.purchases.add({ ...purchase, purchase_id });
    }
    const [first] = await waiting(store.outbox);
    await confirm(store.outbox, [first!], NOW);
    assert.deepEqual(
      await place.rows("SELECT purchase_id AS id, announced_at AS at FROM purchases ORDER BY 1"),
      [{ id: "p-1", at: NOW.toISOString() }, { id: "p-2", at: null }],
    );
  });

  test("a claim that is let go of changes nothing, and gives all of it back", async (place) => {
    await using store = await place.open();
    const ids = await registered(store, 3);
    {
      await using claim = await store.outbox.claim({ limit: 2 });
      assert.equal(claim.rows.length, 2);
    }
    assert.deepEqual(await waitingIds(store.outbox), ids);
    assert.deepEqual(
      await place.rows("SELECT event_id FROM users WHERE announced_at IS NOT NULL"),
      [],
    );
  });

  test("what failed by its own fault holds up no other user, and is given again after its wait", async (place) => {
    await using store = await place.open();
    const ids = await registered(store, 3);
    let behind: number;
    {
      await using claim = await store.outbox.claim({ limit: 2 });
      const [broken, fine] = claim.rows;
      behind = fine!.position;
      await claim.settle({ confirmed: [fine!], deferred: [broken!], deferMs: 60_000 }, NOW);
    }
    assert.deepEqual(await waitingIds(store.outbox, { behind }), [ids[2]]);
    assert.equal((await store.outbox.backlog(NOW)).events, 2, "and it is there still");
  });

  test("what failed is at the head again once its wait is over", async (place) => {
    await using store = await place.open();
    const ids = await registered(store, 2);
    {
      await using claim = await store.outbox.claim({ limit: 1 });
      await claim.settle({ confirmed: [], deferred: claim.rows, deferMs: 0 }, NOW);
    }
    assert.deepEqual(await waitingIds(store.outbox), ids);
  });

  test("no confirmed position is given to another event", async (place) => {
    await using store = await place.open();
    await registered(store, 1);
    const [first] = await waiting(store.outbox);
    await confirm(store.outbox, [first!]);
    await registered(store, 1, 1);
    assert.ok((await waiting(store.outbox))[0]!.position > first!.position);
  });

  test("claim() gives the events of one type, or all but those", async (place) => {
    await using store = await place.open();
    const ids: string[] = [];
    for (const n of [1, 2]) {
      const purchase = await purchaseOfAna(store, n);
      ids.push(createdPurchase(await store.purchases.add(purchase)).event_id);
    }
    const users = await registered(store, 2);
    const idsOf = (part: { only: string } | { allBut: string[] }) =>
      waitingIds(store.outbox, { part });
    assert.deepEqual(await idsOf({ only: "CompraRealizada" }), ids);
    assert.deepEqual(await idsOf({ allBut: ["UsuarioCreado"] }), ids);
    assert.deepEqual(await idsOf({ allBut: ["CompraRealizada"] }), users);
    assert.deepEqual(await idsOf({ allBut: [] }), [...ids, ...users]);
  });

  test("one user's events leave in the order in which they were committed", async (place) => {
    await using store = await place.open();
    const purchase = await purchaseOfAna(store);
    const added: string[] = [];
    for (let n = 0; n < 4; n++) {
      added.push(createdPurchase(await store.purchases.add(purchase)).event_id);
    }
    const left: string[] = [];
    while ((await store.outbox.backlog(NOW)).events > 0) {
      await using claim = await store.outbox.claim({ limit: 2 });
      left.push(...claim.rows.map(({ eventId }) => eventId));
      await claim.settle({ confirmed: claim.rows }, NOW);
    }
    assert.deepEqual(left, added);
  });

  test("backlog() tells how much waits, and how long the first has waited", async (place) => {
    await using store = await place.open();
    const later = (ms: number) => new Date(NOW.getTime() + ms);
    assert.deepEqual(await store.outbox.backlog(NOW), { events: 0, oldestAgeMs: 0 });
    await store.users.register(ana(1), undefined, NOW);
    await store.users.register(ana(2), undefined, later(500));
    assert.deepEqual(await store.outbox.backlog(later(2_000)), { events: 2, oldestAgeMs: 2_000 });
    assert.equal((await store.outbox.backlog(later(-9_000))).oldestAgeMs, 0, "a clock set back");
  });

  test("its listener is told of what is new, once it can be claimed, and of nothing else", async (place) => {
    await using store = await place.open();
    const seen: Promise<number>[] = [];
    store.outbox.onAppended = () => seen.push(waiting(store.outbox).then((rows) => rows.length));
    const key = (fingerprint: string) => ({ key: "k-1", fingerprint });
    await store.users.register(ana(1), key("a"));
    await store.users.register(ana(1), key("a"));
    await store.users.register(ana(1), key("b"));
    await store.users.register(ana(1));
    assert.deepEqual(await Promise.all(seen), [1]);
  });
}

function byId(a: Record<string, unknown>, b: Record<string, unknown>): number {
  return String(a.id).localeCompare(String(b.id));
}
