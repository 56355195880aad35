/** Which dead letters belong together: those of one queue that died of the same thing. */
import { createHash } from "node:crypto";
import { failureMessage } from "@ecomarket/shared/contract/headers";

/** Where and why a message died. */
export interface Cause {
  readonly originQueue: string;
  readonly reason: string;
  /** The error's own words. */
  readonly failureMessage: string;
}

/** What is taken out of a message, in this order: what comes first may hold what comes later. */
const TAKEN_OUT: readonly (readonly [RegExp, string])[] = [
  [/"[^"]*"|“[^”]*”|«[^»]*»|`[^`]*`|(?<!\p{L})'[^']*'(?!\p{L})/gu, "<value>"],
  [/<?[^\s<>(),;:=@]+@[^\s<>(),;:=@]*[^\s<>(),;:=@.]>?/gu, "<email>"],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, "<id>"],
  [/(?<![\p{L}\p{N}_-])[-+]?\d+(?:[.,:]\d+)*(?![\p{L}\p{N}_-])/gu, "<n>"],
  [/(?<![\p{L}\p{N}_<-])(?=[\p{L}_-]*\d)[\p{L}\p{N}_-]+/gu, "<id>"],
];

/**
 * `message` without quoted values, email addresses, ids and numbers: what is left tells the fault.
 *
 * n.b. no longer one than we write ourselves: the patterns take the square of its length, and a header
 * that somebody else wrote has room for 64 KiB.
 */
export function normalise(message: string): string {
  const words = TAKEN_OUT.reduce(
    (text, [what, name]) => text.replaceAll(what, name),
    failureMessage(message),
  );
  return words.replaceAll(/\s+/g, " ").trim();
}

/** The group's id: the same for ever, and short enough to be typed. */
export function groupId({ originQueue, reason, failureMessage }: Cause): string {
  const cause = JSON.stringify([originQueue, reason, normalise(failureMessage)]);
  return createHash("sha256").update(cause).digest("hex").slice(0, 8);
}
