/** Collects what every role tells of its memory. */
import type { LogWatch } from "@ecomarket/testbed/processes/log_watch";
import type { MemorySample } from "./memory.ts";

/** Notes what the roles of `logs` tell, from now on. */
export function watchMemory(
  logs: Readonly<Record<string, LogWatch>>,
): { readonly samples: readonly MemorySample[]; stop(): void } {
  const samples: MemorySample[] = [];
  const startedAt = performance.now();
  const stops = Object.entries(logs).map(([role, log]) =>
    log.onMemory((pid, bytes) => {
      samples.push({ role, pid, bytes, atMs: Math.round(performance.now() - startedAt) });
    })
  );
  return { samples, stop: () => stops.forEach((stop) => stop()) };
}
