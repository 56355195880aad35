/** What a process takes of the machine, as `ps` tells it of any process of one's own. */

/** What one process takes. */
export interface ProcessCost {
  readonly residentMiB: number;
  /** User and system time so far; Linux tells whole seconds. */
  readonly cpuSeconds: number;
}

/** What `pid` takes now; `undefined` where there is no such process, or no `ps` (POSIX) that tells it. */
export async function costOf(pid: number): Promise<ProcessCost | undefined> {
  // n.b. Deno lets nobody read /proc who may not do everything.
  const args = ["-o", "rss=,time=", "-p", String(pid)];
  const found = await new Deno.Command("ps", { args }).output().catch(() => undefined);
  return found?.success ? parsePs(new TextDecoder().decode(found.stdout)) : undefined;
}

/** What `ps -o rss=,time=` says: kibibytes, and `[[days-]hours:]minutes:seconds`. */
export function parsePs(text: string): ProcessCost | undefined {
  const [, kibibytes, days = "0", time] = /^\s*(\d+)\s+(?:(\d+)-)?([\d:.]+)\s*$/.exec(text) ?? [];
  if (kibibytes === undefined || time === undefined) return undefined;
  const seconds = time.split(":").reduce((sum, part) => sum * 60 + Number(part), 0);
  return {
    residentMiB: Number(kibibytes) / 1024,
    cpuSeconds: Number(days) * 86_400 + seconds,
  };
}
