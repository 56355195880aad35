/** What the live page reads of the stores: each row once, none of before, none left out. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ARCHIVE, ARCHIVE_LETTER, openArchive } from "@ecomarket/shared/archive/tables";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";
import { emailConsumer } from "../../consumers/email.ts";
import { simulatedMailer } from "../../consumers/mailer.ts";
import { lettersOf, waitingLetters } from "../../watch/sources/store_look.ts";
import { EffectTail, LetterTail } from "../../watch/sources/store_tail.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const { migrations } = emailConsumer(simulatedMailer);

async function bench() {
  const folder = await temporaryFolder();
  const dataDirOf = (name: string) => join(folder.path, name);
  return {
    dataDirOf,
    /** Commits an effect of each event. */
    async commit(...ids: string[]) {
      const owner = { subscriber: "email", queue: "email_queue" };
      await using store = SqliteStore.open(dataDirOf("email"), owner, migrations);
      const sql = "INSERT INTO sent_emails VALUES (NULL, ?, 'm', 'r', 's', 't', 'now')";
      for (const id of ids) await store.commit(id, [{ sql, params: [id] }]);
    },
    /** Archives a dead letter of each event. */
    async archive(...ids: string[]) {
      const db = openArchive(dataDirOf(ARCHIVE));
      const now = new Date().toISOString();
      for (const id of ids) {
        const queue = "email_queue";
        const body = new TextEncoder().encode(`{"event_id":"${id}"}`);
        const values = [
          id,
          queue,
          "permanent-error",
          "no",
          0,
          now,
          now,
          '{"type":"UsuarioCreado"}',
        ];
        const rest = ['{"x-retries":3}', body, null, null, null, id, queue];
        await db.commit(() => db.statement(ARCHIVE_LETTER).run(...values, ...rest));
      }
      db.close();
    },
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  };
}

Deno.test("EffectTail tells each effect once, from where the store stood at the first look", async () => {
  await using stores = await bench();
  await stores.commit("before");
  const tail = new EffectTail("email", stores.dataDirOf);
  assert.deepEqual(tail.next(), []);
  await stores.commit("a", "b");
  assert.deepEqual(tail.next(), ["a", "b"]);
  assert.deepEqual(tail.next(), []);
  assert.equal(tail.stored, 3);
});

Deno.test("EffectTail leaves nothing out of a store that was not there, or was deleted", async () => {
  await using stores = await bench();
  const tail = new EffectTail("email", stores.dataDirOf);
  assert.deepEqual(tail.next(), []);
  await stores.commit("a", "b");
  assert.deepEqual(tail.next(), ["a", "b"]);
  await Deno.remove(stores.dataDirOf("email"), { recursive: true });
  assert.deepEqual(tail.next(), []);
  await stores.commit("c");
  assert.deepEqual(tail.next(), ["c"]);
  assert.equal(tail.stored, 1);
});

Deno.test("LetterTail tells each dead letter once, and waitingLetters() what became of it", async () => {
  await using stores = await bench();
  const tail = new LetterTail(stores.dataDirOf);
  assert.deepEqual(tail.next(), []);
  await stores.archive("a", "b");
  const letters = tail.next();
  assert.deepEqual(letters.map(({ messageId, type }) => [messageId, type]), [
    ["a", "UsuarioCreado"],
    ["b", "UsuarioCreado"],
  ]);
  assert.deepEqual(tail.next(), []);
  const states = () =>
    waitingLetters(stores.dataDirOf).map(({ eventId, state }) => [eventId, state]);
  assert.deepEqual(states(), [["b", "waiting"], ["a", "waiting"]]);

  const db = openArchive(stores.dataDirOf(ARCHIVE));
  const sent = `INSERT INTO operation_items VALUES ('op', ?, 'sent', ?, 0, ?, NULL)`;
  const at = "2026-11-24T18:00:00.000Z";
  await db.commit(() => db.statement(sent).run(letters[0]!.id, "a", at));
  db.close();
  assert.deepEqual(states(), [["b", "waiting"], ["a", "replayed"]]);
  assert.deepEqual(lettersOf(["a"], stores.dataDirOf)[0]!.replayedAt, [Date.parse(at)]);
  assert.deepEqual(lettersOf(["a"], stores.dataDirOf)[0]!.headers, { "x-retries": 3 });
  await stores.archive("a");
  assert.deepEqual(states(), [["a", "waiting"], ["b", "waiting"], ["a", "died-again"]]);
  await Deno.remove(stores.dataDirOf(ARCHIVE), { recursive: true });
  assert.deepEqual(states(), []);
});

Deno.test("waitingLetters() says that a dead letter is done once its event is in the inbox", async () => {
  await using stores = await bench();
  await stores.archive("a");
  const db = openArchive(stores.dataDirOf(ARCHIVE));
  await db.commit(() =>
    db.statement("INSERT INTO operation_items VALUES ('op', 1, 'sent', 'a', 0, 'now', NULL)").run()
  );
  db.close();
  await stores.commit("a");
  assert.equal(waitingLetters(stores.dataDirOf)[0]!.state, "done");
});
