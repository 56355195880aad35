/** Rows that become events: what a purchase may look like, and an event that has no form. */
import assert from "node:assert/strict";
import { readLines } from "@ecomarket/shared/process/text_lines";
import { eventRow } from "../../publisher/publish/event_row.ts";
import { formOf, ROWS_ONLY } from "../../publisher/publish/events/event_forms.ts";
import { readCsv } from "../../publisher/publish/sources/csv.ts";
import type { SourceRow } from "../../publisher/publish/sources/source_row.ts";

const ITEMS = [{ sku: "cafe-1kg", quantity: 2 }, { sku: "taza", quantity: 1 }];
const PURCHASE = { purchase_id: "p-1", user_id: "u-1", total: 1250, currency: "MXN", items: ITEMS };

/** The purchase of a row, or what is wrong with it. */
function purchaseOf(row: SourceRow): unknown {
  const result = eventRow("CompraRealizada", row);
  if ("problem" in result) return result.problem;
  assert.ok(result.event.event_type === "CompraRealizada");
  const { purchase_id, user_id, total, currency, items } = result.event;
  return { purchase_id, user_id, total, currency, items };
}

const judged = (fields: Record<string, unknown>) => purchaseOf({ line: 1, fields });

Deno.test("eventRow() understands a purchase as JSON, flags and CSV write it", () => {
  const written: Record<string, unknown>[] = [
    PURCHASE,
    { ...PURCHASE, items: ["cafe-1kg:2", "taza:1"], total: "1250" },
    { ...PURCHASE, items: " cafe-1kg : 2 ; taza:1; ", total: " 1250 " },
    { ...PURCHASE, id: "other", event_id: "e-1", schema_version: 1, propina: 7 },
  ];
  for (const fields of written) assert.deepEqual(judged(fields), PURCHASE);
});

Deno.test("eventRow() gives a purchase without an id one of its own, and a SKU its colons", () => {
  const { purchase_id: _, ...purchase } = PURCHASE;
  const first = eventRow("CompraRealizada", { line: 1, fields: { ...purchase, purchase_id: "" } });
  const second = eventRow("CompraRealizada", { line: 2, fields: purchase });
  assert.ok("event" in first && "event" in second);
  assert.notEqual(first.event.event_id, second.event.event_id);
  const [one, other] = [first, second].map(({ event }) =>
    event.event_type === "CompraRealizada" && event.purchase_id
  );
  assert.notEqual(one, other);
  assert.deepEqual(judged({ ...PURCHASE, items: "gs1:01:7:3" }), {
    ...PURCHASE,
    items: [{ sku: "gs1:01:7", quantity: 3 }],
  });
});

Deno.test("eventRow() says what is wrong with a purchase, in the contract's words", () => {
  const whole = "must be a whole number of minor units (cents) from 0 up";
  const refused: [Record<string, unknown>, string][] = [
    [{ ...PURCHASE, total: "12.50" }, `total ${whole}`],
    [{ ...PURCHASE, total: "-1" }, `total ${whole}`],
    [{ ...PURCHASE, total: "doce" }, "total must be a number"],
    [{ ...PURCHASE, user_id: " " }, "user_id is missing"],
    [{ ...PURCHASE, items: "cafe-1kg" }, "items.0.quantity is missing"],
    [{ ...PURCHASE, items: "cafe-1kg:0" }, "items.0.quantity must be a whole number from 1 up"],
    [{ ...PURCHASE, items: "" }, "items must have at least one item"],
    [{ ...PURCHASE, currency: "mxn" }, "currency must be an ISO 4217 code such as EUR"],
  ];
  for (const [fields, problem] of refused) assert.equal(judged(fields), problem);
});

Deno.test("a CSV of purchases names its columns in any order, with its items in one field", async () => {
  const { columns } = formOf("CompraRealizada");
  const csv = (text: string) => {
    async function* chunks() {
      yield await Promise.resolve(new TextEncoder().encode(text));
    }
    return Array.fromAsync(readCsv(readLines(chunks()), columns));
  };
  const rows = await csv(
    "Items,total,currency,user_id,purchase_id\ncafe-1kg:2;taza:1,1250,MXN,u-1,p-1\n",
  );
  assert.deepEqual(rows.map(purchaseOf), [PURCHASE]);
  const spanish = await csv(
    'user_id;total;currency;items;purchase_id\nu-1;1250;MXN;"cafe-1kg:2;taza:1";p-1\n',
  );
  assert.deepEqual(spanish.map(purchaseOf), [PURCHASE]);
  await assert.rejects(
    csv("user_id,total\n"),
    /must name the columns user_id, total, currency and items, found: user_id, total$/,
  );
});

Deno.test("an event without a form takes its fields from rows, and no envelope of another event", () => {
  const envelope = { event_type: "Otro", event_id: "e-1", schema_version: 9, timestamp: "ayer" };
  const fields = ROWS_ONLY.toFields({ ...envelope, sku: "taza", stock: 4 });
  assert.deepEqual(fields, { sku: "taza", stock: 4 });
});
