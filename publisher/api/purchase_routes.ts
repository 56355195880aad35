/** What `/purchases` is answered. */
import type { Hono } from "hono";
import type { NewPurchase } from "@ecomarket/shared/contract/compra_realizada";
import { jsonAnswer } from "@ecomarket/shared/http/json_answer";
import { methodNotAllowed, problem } from "@ecomarket/shared/http/problem";
import type { Logger } from "@ecomarket/shared/process/log";
import {
  keyOf,
  keyReused,
  limitBody,
  replayHeaders,
  requireJson,
  requireUsableKey,
} from "./post_request.ts";
import { purchaseRequest } from "./purchase_request.ts";
import type { PurchaseOutcome, Purchases } from "./purchases.ts";
import type { RequestResult } from "./recorder.ts";

/** A longer body is refused unread. 200 items with the longest SKUs fit. */
export const MAX_PURCHASE_BYTES = 64 * 1024;

/** Adds the routes of `purchases` to `app`. */
export function addPurchaseRoutes(app: Hono, purchases: Purchases, log: Logger): void {
  const limit = limitBody(MAX_PURCHASE_BYTES);
  app.post("/purchases", requireJson, limit, requireUsableKey, async (c) => {
    const request = purchaseRequest(new Uint8Array(await c.req.arrayBuffer()));
    if (!("purchase" in request)) return problem(400, request.detail, { errors: request.errors });
    const result = await purchases.add(request.purchase, keyOf(c, ...meaningOf(request.purchase)));
    if (result.kind === "done" && result.outcome.kind === "created" && !result.isReplay) {
      const { total, currency, event_id } = result.outcome.purchase;
      log.info("Recorded a purchase of {total} {currency}, in minor units", {
        total,
        currency,
        event_id,
      });
    }
    return answer(result);
  });

  app.get("/purchases/:id", (c) => {
    const purchase = purchases.find(c.req.param("id"));
    return purchase ? jsonAnswer(purchase) : problem(404, "There is no purchase with this id");
  });

  app.all("/purchases", () => methodNotAllowed("POST"));
  app.all("/purchases/:id", () => methodNotAllowed("GET, HEAD"));
}

/** What must be the same for two requests to mean the same. No user means this. */
function meaningOf({ purchase_id = "", user_id, total, currency, items }: NewPurchase): string[] {
  return ["POST /purchases", purchase_id, user_id, String(total), currency, JSON.stringify(items)];
}

function answer(result: RequestResult<PurchaseOutcome>): Response {
  if (result.kind === "key-reused") return keyReused();
  const { outcome, isReplay } = result;
  const headers = replayHeaders(isReplay);
  switch (outcome.kind) {
    case "unknown-user": {
      const errors = [{ field: "user_id", reason: "is no user that is registered here" }];
      return problem(422, "Only registered users buy: see errors", { errors, headers });
    }
    case "id-taken":
      return problem(409, "A purchase with this purchase_id is recorded already", { headers });
    case "created": {
      const { purchase } = outcome;
      const location = `/purchases/${encodeURIComponent(purchase.purchase_id)}`;
      return jsonAnswer(purchase, 201, { Location: location, ...headers });
    }
  }
}
