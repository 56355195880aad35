/** Somebody has bought something. */
import { z } from "zod";
import { defineEvent, type EventOf } from "./event.ts";
import { shortText, userIdSchema } from "./fields.ts";

const wholeNumber = (min: number, error: string) =>
  z.number().refine((value) => Number.isSafeInteger(value) && value >= min, { error });

/** One line of a purchase. */
const itemSchema = z.object({
  sku: shortText(64),
  quantity: wholeNumber(1, "must be a whole number from 1 up"),
});

/**
 * What a purchase is: `total` is in minor units (cents), as the customer pays it, and `currency` an
 * ISO 4217 code. 1 to 200 items.
 */
export const newPurchaseSchema = z.object({
  user_id: userIdSchema,
  total: wholeNumber(0, "must be a whole number of minor units (cents) from 0 up"),
  currency: z.string().regex(/^[A-Z]{3}$/, { error: "must be an ISO 4217 code such as EUR" }),
  items: z.array(itemSchema)
    .min(1, { error: "must have at least one item" })
    .max(200, { error: "must have at most 200 items" }),
});

/** A purchase to be announced. Without a `purchase_id`, a random UUID is taken. */
export type NewPurchase = z.infer<typeof newPurchaseSchema> & { purchase_id?: string | undefined };

/** The id of a purchase, as written and as read. */
export const purchaseIdSchema = shortText(200);

/** The only currency of version 1, which did not name it. */
const FIRST_CURRENCY = "EUR";

/**
 * Version 2. Version 1 was the same without `currency`: the shop sold in euros only. A consumer that
 * knows version 2 reads both; one that knows version 1 alone keeps a version 2 as a dead letter, and
 * says that it is too old.
 */
export const CompraRealizada = defineEvent({
  type: "CompraRealizada",
  version: 2,
  exchange: "purchase_events",
  schema: z.object({ purchase_id: purchaseIdSchema, ...newPurchaseSchema.shape }),
  upcasts: { 1: (body) => ({ ...body, currency: FIRST_CURRENCY }) },
});

/** See {@link CompraRealizada}, its definition. */
export type CompraRealizada = EventOf<typeof CompraRealizada>;

/**
 * A new event about `purchase`, with a random `event_id`, stamped with `now`.
 *
 * @throws {InvalidMessageError} when a field of `purchase` breaks the contract.
 */
export function createCompraRealizada(
  purchase: NewPurchase,
  now: Date = new Date(),
): CompraRealizada {
  const { purchase_id = crypto.randomUUID(), user_id, total, currency, items } = purchase;
  return CompraRealizada.create({ purchase_id, user_id, total, currency, items }, now);
}
