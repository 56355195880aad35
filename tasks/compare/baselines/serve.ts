/** HTTP on the loopback, for the processes of a comparison. */
import { aborted } from "@ecomarket/shared/base/abort";
import { serveHttp } from "@ecomarket/shared/http/serve_http";
import { wholeNumber } from "@ecomarket/shared/process/args";
import type { Logger } from "@ecomarket/shared/process/log";

/**
 * Serves `handler` on 127.0.0.1 and `PORT` until `signal` aborts and what is under way is answered.
 *
 * @throws {UsageError} when `PORT` is no port; {ListenError} when it is taken.
 */
export async function serveUntil(
  signal: AbortSignal,
  handler: (request: Request) => Response | Promise<Response>,
  log: Logger,
): Promise<void> {
  const port = wholeNumber("PORT", Deno.env.get("PORT"), 8000, { min: 1, max: 65_535 });
  const choosePort = (port: number) => `PORT=${port}`;
  const server = await serveHttp({ host: "127.0.0.1", port, handler, choosePort, log });
  log.info("Listening on {url}", { url: server.url, state: "listening" });
  await aborted(signal);
  await server.shutdown();
}
