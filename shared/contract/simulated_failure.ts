/** Failures on request, for demonstrations and tests. Honoured only with `SIMULATE_FAILURES=1`. */
import { UsageError } from "../base/errors.ts";
import { X_SIMULATE_FAILURES } from "./headers.ts";
import { parseBody, type RawMessage } from "./message.ts";

/**
 * What a subscriber is asked: to fail its first attempts, every attempt, or to die while it handles
 * (`crash`), each time.
 */
export type FailureRequest = number | "always" | "crash";

/** What each subscriber is asked, by the subscriber's name. */
export type FailurePlan = ReadonlyMap<string, FailureRequest>;

/**
 * Parses `email:2,loyalty:always`, as `--fail` and the header `x-simulate-failures` write it.
 *
 * @throws {UsageError} when a part is not `SUBSCRIBER:TIMES`.
 */
export function parseFailurePlan(text: string): FailurePlan {
  return new Map(
    text.split(",").map((part) => {
      const match = /^\s*([a-z][a-z0-9_-]*):(\d{1,6}|always|crash)\s*$/.exec(part);
      if (!match) {
        throw new UsageError(
          `A failure is asked for as SUBSCRIBER:TIMES, such as email:2, email:always or email:crash, got "${part}"`,
        );
      }
      const times = match[2]!;
      return [match[1]!, times === "always" || times === "crash" ? times : Number(times)];
    }),
  );
}

/** A plan as the header writes it. */
export function formatFailurePlan(plan: FailurePlan): string {
  return [...plan].map(([subscriber, times]) => `${subscriber}:${times}`).join(",");
}

/**
 * What a message asks of `subscriber`'s attempt number `attempt` (from 1 up): nothing, for most. The
 * workshop's `"simulate_fail": true` in the body asks everybody to fail.
 */
export function failureAskedBy(
  { content, properties }: RawMessage,
  subscriber: string,
  attempt: number,
): "fail" | "crash" | undefined {
  if (parseBody(content).simulate_fail === true) return "fail";
  return failureAsked(properties.headers?.[X_SIMULATE_FAILURES], subscriber, attempt);
}

/** What the header asks of `subscriber`'s attempt number `attempt`. */
export function failureAsked(
  header: unknown,
  subscriber: string,
  attempt: number,
): "fail" | "crash" | undefined {
  if (typeof header !== "string") return undefined;
  let plan: FailurePlan;
  try {
    plan = parseFailurePlan(header);
  } catch {
    // A header that is no plan asks for nothing: it must not decide how a valid event is handled.
    return undefined;
  }
  const asked = plan.get(subscriber) ?? 0;
  if (asked === "crash") return "crash";
  return asked === "always" || attempt <= asked ? "fail" : undefined;
}

/** What a process ends with that is asked to crash: as the shell reports a `kill -9`. */
export const CRASH_EXIT_CODE = 137;

/**
 * Does what was asked.
 *
 * @throws {Error} for `fail`. For `crash` the process ends here, with nothing tidied up.
 */
export function simulateFailure(asked: "fail" | "crash"): never {
  if (asked === "crash") Deno.exit(CRASH_EXIT_CODE);
  throw new Error("simulated failure, asked for by the message");
}
