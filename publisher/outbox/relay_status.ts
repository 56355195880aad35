/** How a relay is. */

/** Tells a person and a load balancer the same. */
export interface RelayStatus {
  readonly state: "connected" | "connecting" | "stopped";
  /** What went wrong last, and what to do; absent while nothing is wrong. */
  readonly problem?: string;
}

/** How the whole is whose parts are like this: as the worst of them, with the first one's problem. */
export function combined(parts: readonly RelayStatus[]): RelayStatus {
  const isAll = (state: RelayStatus["state"]) => parts.every((part) => part.state === state);
  const whole = isAll("connected") ? "connected" : isAll("stopped") ? "stopped" : "connecting";
  const { problem } = parts.find((part) => part.problem !== undefined) ?? {};
  return { state: whole, ...(problem === undefined ? {} : { problem }) };
}
