/** What waits in an outbox, looked at and let go of as a relay does it. */
import type { ClaimRequest, Outbox, OutboxRow } from "../../publisher/outbox/outbox.ts";

/** What a claim is given now; it is free again at once. */
export async function waiting(
  outbox: Outbox,
  request: Partial<ClaimRequest> = {},
): Promise<readonly OutboxRow[]> {
  await using claim = await outbox.claim({ limit: 100, ...request });
  return claim.rows;
}

/** The ids of the same. */
export async function waitingIds(
  outbox: Outbox,
  request: Partial<ClaimRequest> = {},
): Promise<string[]> {
  return (await waiting(outbox, request)).map(({ eventId }) => eventId);
}

/** Takes these rows, which nobody has claimed, out of the outbox. */
export async function confirm(
  outbox: Outbox,
  rows: readonly OutboxRow[],
  now = new Date(),
): Promise<void> {
  await using claim = await outbox.claim({ limit: 100 });
  await claim.settle({ confirmed: rows }, now);
}
