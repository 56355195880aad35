/** What an HTTP service of a comparison is as a process. */
import type { ProcessSpec } from "@ecomarket/testbed/processes/process_spec";

/**
 * The service `spec` at `port` of the loopback. It is ready once `GET /readyz` answers 200, and logs
 * errors only: a line for each signup would be measured as well.
 */
export function serviceSpec(
  { port, env, ...spec }: ProcessSpec & { readonly port: number },
): ProcessSpec {
  return {
    ...spec,
    env: { LOG_LEVEL: "error", ...env, PORT: String(port) },
    readyUrl: `http://127.0.0.1:${port}/readyz`,
  };
}
