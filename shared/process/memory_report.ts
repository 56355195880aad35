/** A role tells what memory it takes: from outside, no sandbox could ask on every platform. */
import type { Logger } from "./log.ts";

/** How often it tells. */
const INTERVAL_MS = 5_000;

/** Logs the resident memory of this process, at the level debug, until it is disposed of. */
export function reportMemory(log: Logger): Disposable {
  const tell = () => {
    const memoryBytes = Deno.memoryUsage().rss;
    log.debug("Takes {memoryBytes} bytes of memory", { memoryBytes, pid: Deno.pid });
  };
  const timer = setInterval(tell, INTERVAL_MS);
  return { [Symbol.dispose]: () => clearInterval(timer) };
}
