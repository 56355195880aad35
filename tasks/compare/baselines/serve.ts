/** HTTP on the loopback, for the processes of a comparison. */
import { aborted } from "@ecomarket/shared/abort";
import { wholeNumber } from "@ecomarket/shared/args";

/**
 * Serves `handler` on 127.0.0.1 and `PORT` until `signal` aborts and what is under way is answered.
 *
 * @throws {UsageError} when `PORT` is no port.
 */
export async function serveUntil(
  signal: AbortSignal,
  handler: (request: Request) => Response | Promise<Response>,
): Promise<void> {
  const port = wholeNumber("PORT", Deno.env.get("PORT"), 8000, { min: 1, max: 65_535 });
  const server = Deno.serve({ hostname: "127.0.0.1", port, onListen: () => {} }, handler);
  await aborted(signal);
  await server.shutdown();
}
