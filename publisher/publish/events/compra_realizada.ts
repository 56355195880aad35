/** How a purchase is given to `deno task publish`. */
import type { Faker } from "@faker-js/faker";
import { type EventForm, idOf, numberOf } from "./event_form.ts";

/**
 * In a row, `items` may be written `cafe-1kg:2;taza:1`, and `total` as a text. A purchase without an
 * id gets a random one.
 */
export const compraRealizadaForm: EventForm = {
  noun: "purchase",
  idField: "purchase_id",
  flags: {
    "user-id": { field: "user_id", isRequired: true },
    total: { field: "total", isRequired: true },
    currency: { field: "currency", isRequired: true, problemOf: currencyProblem },
    item: { field: "items", isRequired: true, isRepeatable: true },
    "purchase-id": { field: "purchase_id" },
  },
  usage: {
    calls: `--user-id ID --total N
           --currency CODE --item SKU:N [--purchase-id ID]`,
    options: `
  --user-id ID       who has bought
  --total N          what was paid, in minor units: 1250 is 12.50
  --currency CODE    an ISO 4217 code such as MXN
  --item SKU:N       what was bought, and how many; repeatable
  --purchase-id ID   the purchase's id (default: a random UUID)
  CSV columns        user_id, total, currency, items (as cafe-1kg:2;taza:1), and
                     maybe purchase_id`,
  },
  columns: [["user_id"], ["total"], ["currency"], ["items"]],
  toFields: ({ purchase_id, user_id, total, currency, items }) => ({
    purchase_id: idOf(purchase_id) ?? crypto.randomUUID(),
    user_id: idOf(user_id),
    total: numberOf(total),
    currency,
    items: itemsOf(items),
  }),
  invent: (faker) => {
    const items = faker.helpers.multiple(() => inventedItem(faker), { count: { min: 1, max: 4 } });
    return {
      purchase_id: faker.string.uuid(),
      user_id: faker.string.uuid(),
      total: items.reduce((sum, { quantity, price }) => sum + quantity * price, 0),
      currency: "MXN",
      items: items.map(({ sku, quantity }) => ({ sku, quantity })),
    };
  },
};

/**
 * n.b. the runtime's table is some years behind ISO 4217. So rows and the API, which no hand types,
 * are not measured by it: a currency that is newer comes through them.
 */
function currencyProblem(code: string): string | undefined {
  if (Intl.supportedValuesOf("currency").includes(code)) return undefined;
  return "must be an ISO 4217 code such as MXN, EUR or USD that this Deno knows " +
    "(rows of a --file may have any)";
}

function inventedItem(faker: Faker) {
  return {
    sku: faker.string.alphanumeric({ length: 8, casing: "upper" }),
    quantity: faker.number.int({ min: 1, max: 5 }),
    price: faker.number.int({ min: 5_00, max: 900_00 }),
  };
}

/** The items of a text such as `cafe-1kg:2;taza:1`, or of a list of such texts. */
function itemsOf(items: unknown): unknown {
  if (typeof items === "string") return items.split(";").filter((text) => text.trim()).map(itemOf);
  return Array.isArray(items) ? items.map(itemOf) : items;
}

/** n.b. a colon may be part of a SKU: the last one counts. */
function itemOf(item: unknown): unknown {
  if (typeof item !== "string") return item;
  const colon = item.lastIndexOf(":");
  if (colon < 0) return { sku: item.trim() };
  return { sku: item.slice(0, colon).trim(), quantity: numberOf(item.slice(colon + 1)) };
}
