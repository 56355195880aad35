/** Reading users from CSV: what is an event, what is a problem, and at which line. */
import assert from "node:assert/strict";
import { MAX_LINE_BYTES, readLines } from "@ecomarket/shared/process/text_lines";
import { MAX_COLUMNS, MAX_RECORD_LINES, readCsv } from "../../publisher/publish/sources/csv.ts";
import { SourceError } from "../../publisher/publish/sources/source_row.ts";
import { usuarioCreadoForm } from "../../publisher/publish/events/usuario_creado.ts";
import { type UserRow, userRows } from "../support/user_rows.ts";

const { columns } = usuarioCreadoForm;

/** The rows of `csv`, which arrives in pieces of `chunkBytes`. */
function rowsOf(csv: string | Uint8Array, chunkBytes = 65_536): Promise<UserRow[]> {
  const bytes = typeof csv === "string" ? new TextEncoder().encode(csv) : csv;
  async function* chunks() {
    for (let at = 0; at < bytes.length; at += chunkBytes) {
      yield await Promise.resolve(bytes.slice(at, at + chunkBytes));
    }
  }
  return userRows(readCsv(readLines(chunks()), columns));
}

function problemsOf(rows: readonly UserRow[]): string[] {
  return rows.flatMap((row) => "problem" in row ? [`${row.line}: ${row.problem}`] : []);
}

function namesOf(rows: readonly UserRow[]): string[] {
  return rows.flatMap((row) => "user" in row ? [row.user.nombre] : []);
}

const fixture = await Deno.readFile(new URL("../fixtures/users.csv", import.meta.url));

for (const chunkBytes of [1, 7, 65_536]) {
  Deno.test(`readCsv() reads a spreadsheet's file that arrives ${chunkBytes} bytes at a time`, async () => {
    const rows = await rowsOf(fixture, chunkBytes);
    assert.deepEqual(namesOf(rows), [
      "María José Núñez",
      'Pérez, Juan "Juancho"',
      "Íñigo Ñáñez 🌱",
      "Ana Belén Castro",
      "José Ángel Íñiguez",
      "Último Sin Salto",
    ]);
    assert.deepEqual(problemsOf(rows), [
      "5: email must not be empty",
      "6: nombre must not contain control characters (ends on line 7)",
      "8: has 5 columns, the header has 4",
      '9: has a misplaced quote: a field with quotes in it is written "like ""this"""',
      '12: has a misplaced quote: a field with quotes in it is written "like ""this"""',
    ]);
    assert.deepEqual(rows.map(({ line }) => line), [2, 3, 4, 5, 6, 8, 9, 10, 12, 13, 15]);
  });
}

Deno.test("readCsv() loses no row after a quote that is never closed", async () => {
  const users = Array.from({ length: 5_000 }, (_, n) => `Ana ${n},ana${n}@example.com`);
  const rows = await rowsOf(["nombre,email", '"Ana,ana@example.com', ...users].join("\n"));
  assert.deepEqual(problemsOf(rows), ["2: has a quote that is never closed"]);
  assert.equal(namesOf(rows).length, 5_000);
  assert.deepEqual(rows.at(-1), {
    line: 5_002,
    user: { nombre: "Ana 4999", email: "ana4999@example.com", user_id: "(random)" },
  });
});

Deno.test("readCsv() loses no row when the file ends before the quote is closed", async () => {
  const rows = await rowsOf('nombre,email\n"Ana,ana@example.com\nEva,eva@example.com\n');
  assert.deepEqual(problemsOf(rows), ["2: has a quote that is never closed"]);
  assert.deepEqual(namesOf(rows), ["Eva"]);
});

Deno.test("readCsv() gives a quote up that is not closed within as many lines as a record may take", async () => {
  let taken = 0;
  async function* chunks() {
    yield await Promise.resolve(new TextEncoder().encode('nombre,email\n"Eva,eva@example.com\n'));
    for (; taken < 1_000; taken++) yield new TextEncoder().encode('Ana,""\n');
  }
  const rows = readCsv(readLines(chunks()), columns);
  const { value } = await rows.next();
  assert.deepEqual(value, { line: 2, problem: "has a quote that is never closed" });
  assert.equal(taken, MAX_RECORD_LINES - 1);
  await rows.return(undefined);
});

for (const [separator, name] of [[";", "semicolons"], ["\t", "tabs"]] as const) {
  Deno.test(`readCsv() understands ${name}, aliases, and columns in any order`, async () => {
    const rows = await rowsOf(
      [["ID", "Email", "Name"], ["7", "eva@example.com", "Eva, la de Soria"], ["", "", "Leo"]]
        .map((fields) => fields.join(separator)).join("\r\n"),
    );
    assert.deepEqual(rows, [
      { line: 2, user: { nombre: "Eva, la de Soria", email: "eva@example.com", user_id: "7" } },
      { line: 3, problem: "email must not be empty" },
    ]);
  });
}

Deno.test("readCsv() gives a user with an empty id none", async () => {
  const rows = await rowsOf("nombre,email,user_id\nEva,eva@example.com,\n");
  assert.deepEqual(rows, [{
    line: 2,
    user: { nombre: "Eva", email: "eva@example.com", user_id: "(random)" },
  }]);
});

Deno.test("readCsv() reports a line that is not UTF-8, and reads the rest", async () => {
  const latin1 = Uint8Array.from(
    "nombre,email\nJosé,jose@example.com\nEva,eva@example.com",
    (c) => c.charCodeAt(0),
  );
  const rows = await rowsOf(latin1);
  assert.deepEqual(problemsOf(rows), ["2: is not valid UTF-8: save the file as UTF-8"]);
  assert.deepEqual(namesOf(rows), ["Eva"]);
});

Deno.test("readCsv() reports a line that is too long, and reads the rest", async () => {
  const long = "x".repeat(MAX_LINE_BYTES + 1);
  const rows = await rowsOf(`nombre,email\n${long},x@example.com\nEva,eva@example.com\n`);
  assert.deepEqual(problemsOf(rows), [`2: is longer than ${MAX_LINE_BYTES} bytes`]);
  assert.deepEqual(namesOf(rows), ["Eva"]);
});

Deno.test("readCsv() rejects a header without a column that is needed, and names what it found", async () => {
  await assert.rejects(rowsOf("nombre,correo\nEva,eva@example.com\n"), (error) => {
    assert.ok(error instanceof SourceError);
    assert.match(error.message, /line 1.*nombre and email.*found: nombre, correo$/);
    assert.equal(error.exitCode, 2);
    return true;
  });
});

Deno.test("readCsv() rejects a file without a header", async () => {
  await assert.rejects(rowsOf("\r\n\r\n"), SourceError);
});

Deno.test("readCsv() yields nothing for a header alone", async () => {
  assert.deepEqual(await rowsOf("nombre,email"), []);
});

Deno.test("readCsv() refuses a header of too many columns, and quotes no more of one than a line", async () => {
  const names = Array.from({ length: MAX_COLUMNS + 1 }, (_, n) => `c${n}`);
  await assert.rejects(rowsOf(names.join(",")), /\(line 1\) names 1001 columns, more than 1000$/);
  const [error] = await Promise.allSettled([rowsOf(`${"x".repeat(100_000)},y\n`)]);
  assert.equal(error.status, "rejected");
  assert.match(error.reason.message, /must name the columns nombre and email, found: x+…$/);
  assert.ok(error.reason.message.length < 700);
});
