/** What is sold in the lesson, as publishers of both versions write it, and what it comes to. */
import {
  CompraRealizada,
  createCompraRealizada,
} from "@ecomarket/shared/contract/compra_realizada";
import type { Encoded } from "@ecomarket/shared/contract/event";
import type { CashbookLine } from "./cashbook.ts";
import { FirstCompraRealizada } from "./first_version.ts";

/** A purchase: what a cashbook is to say of it, and how it travels. */
export interface Purchase extends CashbookLine {
  readonly encoded: Encoded;
}

const ITEMS = [{ sku: "cafe-1kg", quantity: 2 }];

/** `count` purchases of version 1: in euros, which they do not say. */
export function firstVersion(count: number): Purchase[] {
  return Array.from({ length: count }, (_, n) => {
    const event = FirstCompraRealizada.create({
      purchase_id: `v1-${n + 1}`,
      user_id: `u-${n + 1}`,
      total: 12_50,
      items: ITEMS,
    });
    const { event_id, total } = event;
    return { event_id, total, currency: "EUR", encoded: FirstCompraRealizada.encode(event) };
  });
}

/** `count` purchases of version 2: in pesos. */
export function secondVersion(count: number): Purchase[] {
  return Array.from({ length: count }, (_, n) => {
    const event = createCompraRealizada({
      purchase_id: `v2-${n + 1}`,
      user_id: `u-${n + 1}`,
      total: 250_00,
      currency: "MXN",
      items: ITEMS,
    });
    const { event_id, total, currency } = event;
    return { event_id, total, currency, encoded: CompraRealizada.encode(event) };
  });
}

/** What `lines` come to, such as `75.00 EUR and 1000.00 MXN`. */
export function sums(lines: readonly CashbookLine[]): string {
  const byCurrency = Map.groupBy(lines, ({ currency }) => currency);
  return [...byCurrency].map(([currency, its]) => {
    const total = its.reduce((sum, line) => sum + line.total, 0);
    return `${(total / 100).toFixed(2)} ${currency}`;
  }).join(" and ");
}
