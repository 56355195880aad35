import assert from "node:assert/strict";
import { renderTable } from "@ecomarket/shared/process/table";

Deno.test("renderTable() puts numbers to the right and text to the left, without colours", () => {
  const table = renderTable(["cola", "listos"], [["email_queue", 7], ["b", 120]]);
  assert.deepEqual(table.split("\n").filter((line) => /\p{L}/u.test(line)), [
    "│ cola        │ listos │",
    "│ email_queue │      7 │",
    "│ b           │    120 │",
  ]);
  assert.ok(!table.includes("\x1b"));
});

Deno.test("renderTable() takes a column with one text in it for text", () => {
  const table = renderTable(["listos"], [["missing"], [120]]);
  assert.match(table, /│ 120 {5}│/);
});

Deno.test("renderTable() shows the head alone where there is nothing", () => {
  assert.match(renderTable(["cola"], []), /cola/);
});

Deno.test("renderTable() lets no cell drive the terminal or forge a row", () => {
  const table = renderTable(["cola"], [["email\u001b[2J\nforjada\u202e"]]);
  assert.match(table, /│ email\\u001b\[2J\\u000aforjada\\u202e │/);
});
