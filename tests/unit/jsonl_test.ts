/** Reading users from JSON Lines: what is an event, what is a problem, and at which line. */
import assert from "node:assert/strict";
import { MAX_LINE_BYTES, readLines } from "@ecomarket/shared/process/text_lines";
import { readJsonl } from "../../publisher/publish/sources/jsonl.ts";
import { type UserRow, userRows } from "../support/user_rows.ts";

async function* pieces(bytes: Uint8Array, chunkBytes: number): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < bytes.length; at += chunkBytes) {
    yield await Promise.resolve(bytes.slice(at, at + chunkBytes));
  }
}

function rowsOf(jsonl: string | Uint8Array, chunkBytes = 65_536): Promise<UserRow[]> {
  const bytes = typeof jsonl === "string" ? new TextEncoder().encode(jsonl) : jsonl;
  return userRows(readJsonl(readLines(pieces(bytes, chunkBytes))));
}

Deno.test("readJsonl() reports a line that is nested too deeply, and reads the rest", async () => {
  const deep = `{"nombre":${"[".repeat(100_000)}`;
  const rows = await rowsOf(`${deep}\n{"nombre":"Eva","email":"eva@example.com","id":1}\n`);
  assert.deepEqual(rows, [
    { line: 1, problem: "is nested more deeply than 64 objects and lists" },
    { line: 2, user: { nombre: "Eva", email: "eva@example.com", user_id: "1" } },
  ]);
});

const fixture = await Deno.readFile(new URL("../fixtures/users.jsonl", import.meta.url));

for (const chunkBytes of [1, 65_536]) {
  Deno.test(`readJsonl() reads each line on its own, ${chunkBytes} bytes at a time`, async () => {
    assert.deepEqual(await rowsOf(fixture, chunkBytes), [
      {
        line: 1,
        user: { nombre: "María José Núñez", email: "maria.jose@example.com", user_id: "u-001" },
      },
      { line: 2, user: { nombre: "Íñigo Ñáñez 🌱", email: "inigo@example.com", user_id: "3" } },
      { line: 4, problem: "email is missing" },
      { line: 5, problem: "is not valid JSON" },
      { line: 6, problem: "is not a JSON object" },
      { line: 7, problem: "nombre must not contain control characters" },
      { line: 8, problem: "nombre must be a string" },
      {
        line: 9,
        user: { nombre: "Último Sin Salto", email: "ultimo@example.com", user_id: "u-009" },
      },
    ]);
  });
}

Deno.test("readJsonl() refuses a line over the limit, and reads the rest", async () => {
  const eva = `{"nombre":"Eva","email":"eva@example.com"}`;
  const atLimit = eva + " ".repeat(MAX_LINE_BYTES - eva.length);
  const rows = await rowsOf(`${atLimit}\n${atLimit} \n${eva}\n`);
  const user = { nombre: "Eva", email: "eva@example.com", user_id: "(random)" };
  assert.deepEqual(rows, [
    { line: 1, user },
    { line: 2, problem: `is longer than ${MAX_LINE_BYTES} bytes` },
    { line: 3, user },
  ]);
});

Deno.test("readJsonl() reports a line that is not UTF-8", async () => {
  const latin1 = Uint8Array.from(
    `{"nombre":"José","email":"jose@example.com"}`,
    (character) => character.charCodeAt(0),
  );
  assert.deepEqual(await rowsOf(latin1), [
    { line: 1, problem: "is not valid UTF-8: save the file as UTF-8" },
  ]);
});
