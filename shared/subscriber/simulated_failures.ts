/** A subscriber that fails where its messages ask for it: for demonstrations and tests. */
import type { RawMessage } from "../contract/message.ts";
import { failureAskedBy, simulateFailure } from "../contract/simulated_failure.ts";
import type { SubscriberSpec } from "./subscriber_spec.ts";

/** What `spec` handles, and the message that may ask for a failure. */
interface Asking<T> {
  readonly payload: T;
  readonly message: RawMessage;
}

/**
 * `spec`, which fails or dies before it handles a message that asks for that. n.b. not the archive: a
 * dead letter still asks what its event asked, and has nowhere else to go.
 */
export function withSimulatedFailures<T>(spec: SubscriberSpec<T>): SubscriberSpec<Asking<T>> {
  return {
    ...spec,
    decode(message) {
      const { id, payload } = spec.decode(message);
      return { id, payload: { payload, message } };
    },
    handle({ payload, message }, context) {
      const asked = spec.failure.kind === "stay"
        ? undefined
        : failureAskedBy(message, spec.name, context.attempt);
      if (asked) simulateFailure(asked);
      return spec.handle(payload, context);
    },
  };
}
