/** What a `POST /purchases` asks for, judged by the event's contract. */
import {
  type NewPurchase,
  newPurchaseSchema,
  purchaseIdSchema,
} from "@ecomarket/shared/contract/compra_realizada";
import { fieldIssues } from "@ecomarket/shared/contract/issues";
import { objectIn, refused, type RefusedRequest } from "./request_body.ts";

/** A purchase to record, or what is wrong with the request. */
export type PurchaseRequest = { readonly purchase: NewPurchase } | RefusedRequest;

/** n.b. a URL whose last segment is a dot or two is another URL, also where they are escaped. */
const canStandInUrl = (id: string) => id !== "." && id !== "..";

const schema = newPurchaseSchema.extend({
  purchase_id: purchaseIdSchema.refine(canStandInUrl, { error: "must not be . or .." }).optional(),
});

/** The purchase in a body of JSON, its fields named as in the event. Unknown fields are ignored. */
export function purchaseRequest(content: Uint8Array): PurchaseRequest {
  const object = objectIn(content, EXAMPLE);
  if (!("body" in object)) return object;
  const parsed = schema.safeParse(object.body, { reportInput: true });
  return parsed.success ? { purchase: parsed.data } : refused(EXAMPLE, fieldIssues(parsed.error));
}

const EXAMPLE = '{"user_id":"…","total":1250,"currency":"MXN",' +
  '"items":[{"sku":"cafe-1kg","quantity":2}]}';
