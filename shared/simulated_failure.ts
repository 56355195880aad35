/** Failures on request, for demonstrations and tests. Honoured only with `SIMULATE_FAILURES=1`. */
import { UsageError } from "./errors.ts";

/** How often each subscriber is asked to fail, by the subscriber's name. */
export type FailurePlan = ReadonlyMap<string, number | "always">;

/**
 * Parses `email:2,loyalty:always`, as `--fail` and the header `x-simulate-failures` write it.
 *
 * @throws {UsageError} when a part is not `SUBSCRIBER:TIMES`.
 */
export function parseFailurePlan(text: string): FailurePlan {
  return new Map(
    text.split(",").map((part) => {
      const match = /^\s*([a-z][a-z0-9_-]*):(\d{1,6}|always)\s*$/.exec(part);
      if (!match) {
        throw new UsageError(
          `A failure is asked for as SUBSCRIBER:TIMES, such as email:2 or loyalty:always, got "${part}"`,
        );
      }
      return [match[1]!, match[2] === "always" ? "always" : Number(match[2])];
    }),
  );
}

/** A plan as the header writes it. */
export function formatFailurePlan(plan: FailurePlan): string {
  return [...plan].map(([subscriber, times]) => `${subscriber}:${times}`).join(",");
}

/** Whether `subscriber` is asked to fail its attempt number `attempt` (from 1 up). */
export function failureAsked(header: unknown, subscriber: string, attempt: number): boolean {
  if (typeof header !== "string") return false;
  try {
    const times = parseFailurePlan(header).get(subscriber) ?? 0;
    return times === "always" || attempt <= times;
  } catch {
    // A header that is no plan asks for nothing: it must not decide how a valid event is handled.
    return false;
  }
}
