/** Asking a source that may fail, or never answer, without failing or waiting for ever oneself. */
import { messageOf } from "@ecomarket/shared/base/errors";
import { LateError } from "@ecomarket/shared/base/poll";

/** What a source told, or why it did not. */
export type Looked<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly reason: string; readonly error: unknown };

/** How long a source may take as a whole: a broker that hangs lets each question hang. */
const TIMEOUT_MS = 5_000;

/** What `source` tells within `timeoutMs`. Never rejects: a source that fails must not hide the others. */
export async function look<T>(
  source: () => Promise<T> | T,
  timeoutMs: number = TIMEOUT_MS,
): Promise<Looked<T>> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new LateError("an answer", timeoutMs)), timeoutMs);
  });
  try {
    return { ok: true, value: await Promise.race([Promise.try(source), late]) };
  } catch (error) {
    return { ok: false, reason: messageOf(error), error };
  } finally {
    clearTimeout(timer);
  }
}
