/** `CompraRealizada` as version 1 defined it, when the shop sold in euros only: who still runs it, runs this. */
import {
  CompraRealizada,
  newPurchaseSchema,
  purchaseIdSchema,
} from "@ecomarket/shared/contract/compra_realizada";
import { defineEvent, type EventOf } from "@ecomarket/shared/contract/event";

export const FirstCompraRealizada = defineEvent({
  type: CompraRealizada.type,
  version: 1,
  exchange: CompraRealizada.exchange,
  schema: newPurchaseSchema.omit({ currency: true }).extend({ purchase_id: purchaseIdSchema }),
});

/** See {@link FirstCompraRealizada}, its definition. */
export type FirstCompraRealizada = EventOf<typeof FirstCompraRealizada>;
