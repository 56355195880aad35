/** Somebody has bought something. */
import { z } from "zod";
import { defineEvent, type Envelope, type EventDefinition } from "./event.ts";
import { shortText, userIdSchema } from "./fields.ts";

const wholeNumber = (min: number, error: string): z.ZodNumber =>
  z.number().refine((value) => Number.isSafeInteger(value) && value >= min, { error });

/** One line of a purchase. */
const itemSchema: z.ZodType<PurchaseItem> = z.object({
  sku: shortText(64),
  quantity: wholeNumber(1, "must be a whole number from 1 up"),
});

/** What a purchase has to be. */
export const newPurchaseSchema: z.ZodObject<{
  user_id: z.ZodString;
  total: z.ZodNumber;
  currency: z.ZodString;
  items: z.ZodArray<z.ZodType<PurchaseItem>>;
}> = z.object({
  user_id: userIdSchema,
  total: wholeNumber(0, "must be a whole number of minor units (cents) from 0 up"),
  currency: z.string().regex(/^[A-Z]{3}$/, { error: "must be an ISO 4217 code such as EUR" }),
  items: z.array(itemSchema)
    .min(1, { error: "must have at least one item" })
    .max(200, { error: "must have at most 200 items" }),
});

/** What was bought how often. */
export interface PurchaseItem {
  /** 1 to 64 characters. */
  readonly sku: string;
  /** From 1 up. */
  readonly quantity: number;
}

/** A purchase to be announced. */
export interface NewPurchase {
  /** Who bought. */
  readonly user_id: string;
  /** In minor units (cents), as the customer pays it. */
  readonly total: number;
  /** An ISO 4217 code. */
  readonly currency: string;
  /** 1 to 200. */
  readonly items: readonly PurchaseItem[];
  /**
   * Its id.
   *
   * @default a random UUID
   */
  readonly purchase_id?: string | undefined;
}

/** Somebody has bought something. */
export interface CompraRealizada extends Envelope<"CompraRealizada"> {
  /** 1 to 200 characters. */
  readonly purchase_id: string;
  /** Who bought. */
  readonly user_id: string;
  /** In minor units (cents), as the customer pays it. */
  readonly total: number;
  /** An ISO 4217 code. */
  readonly currency: string;
  /** 1 to 200. */
  readonly items: readonly PurchaseItem[];
}

/** The id of a purchase, as written and as read. */
export const purchaseIdSchema: z.ZodString = shortText(200);

/** The only currency of version 1, which did not name it. */
const FIRST_CURRENCY = "EUR";

/**
 * Version 2. Version 1 was the same without `currency`: the shop sold in euros only. A consumer that
 * knows version 2 reads both; one that knows version 1 alone keeps a version 2 as a dead letter, and
 * says that it is too old.
 */
export const CompraRealizada: EventDefinition<CompraRealizada> = defineEvent({
  type: "CompraRealizada",
  version: 2,
  exchange: "purchase_events",
  schema: z.object({ purchase_id: purchaseIdSchema, ...newPurchaseSchema.shape }),
  upcasts: { 1: (body) => ({ ...body, currency: FIRST_CURRENCY }) },
});

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
