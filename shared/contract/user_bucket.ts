/**
 * The user that an event is about, as a number from 0 to 63 that travels in a header: by it a subscriber
 * that needs order brings the events of one user into one queue. A publisher writes it for everybody,
 * and knows nobody who reads it.
 */
import { crc32 } from "node:zlib";

/**
 * The header with the bucket, as decimal text. n.b. no `x-` before it: a headers exchange leaves such
 * headers out of its matching.
 */
export const USER_BUCKET = "user_bucket";

/** How many buckets there are. Fixed for ever: another number would bring users into other queues. */
export const USER_BUCKETS = 64;

/**
 * The bucket of `userId`: the CRC-32 (IEEE) of its UTF-8, modulo {@link USER_BUCKETS}. In Python:
 * `zlib.crc32(user_id.encode()) % 64`.
 */
export function userBucket(userId: string): number {
  return crc32(userId) % USER_BUCKETS;
}

/** The user that an event with these fields is about, if any. */
export function userIdOf(fields: object): string | undefined {
  const { user_id: userId } = fields as { readonly user_id?: unknown };
  return typeof userId === "string" ? userId : undefined;
}

/** The headers of an event with these fields: none where it is about no user. */
export function bucketHeaders(fields: object): Record<string, string> {
  const userId = userIdOf(fields);
  return userId === undefined ? {} : { [USER_BUCKET]: String(userBucket(userId)) };
}
