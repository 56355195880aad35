/** Sends one message, and tells what is known of it afterwards. */
import { setTimeout as delay } from "node:timers/promises";
import { backoffDelayMs } from "@ecomarket/shared/base/backoff";
import type { ConfirmResult, Outgoing } from "@ecomarket/shared/broker/confirmed_channel";
import type { ReplayMessage } from "./message.ts";

/** What is known of a message that was to be sent. */
export type SendResult =
  /** The broker has it in the origin's queue. */
  | { readonly kind: "sent" }
  /** It cannot be sent, whoever tries. */
  | { readonly kind: "refused"; readonly reason: string }
  /** The broker may have it, or not: sending goes no further for now. */
  | { readonly kind: "ambiguous"; readonly reason: string };

/** How often a message that the broker does not take is sent in all. */
const TRIES = 5;

/** Sends `message` by `send`. The same message twice at most where its properties cannot be written. */
export async function sendMessage(
  message: ReplayMessage & { kind: "message" },
  send: (outgoing: Outgoing) => Promise<ConfirmResult>,
): Promise<SendResult> {
  let outgoing = message.outgoing;
  for (let n = 1;; n++) {
    const result = await send(outgoing);
    switch (result.kind) {
      case "confirmed":
        return { kind: "sent" };
      case "returned":
        return {
          kind: "refused",
          reason: `${result.reason}: start its consumer, which declares it`,
        };
      case "nacked":
        if (n >= TRIES) return { kind: "ambiguous", reason: result.reason };
        await delay(backoffDelayMs(n));
        continue;
      case "ambiguous":
        return { kind: "ambiguous", reason: result.reason };
      case "unsent":
        if (!result.isUnwritable) return { kind: "ambiguous", reason: result.reason };
        if (outgoing === message.fallback) {
          return { kind: "refused", reason: `it cannot be written: ${result.reason}` };
        }
        outgoing = message.fallback;
    }
  }
}
