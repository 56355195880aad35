/**
 * What differs between Linux, macOS and Windows: signals, ending a process, the modes of files, and
 * opening a browser. Nothing but tests asks elsewhere which platform it runs on.
 */
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";

/** The operating system that this process runs on, such as `linux`, `darwin` or `windows`. */
export const PLATFORM: typeof Deno.build.os = Deno.build.os;

/** Whether this process runs on Windows: no SIGTERM, no modes of files, and scripts end in `.bat`. */
export const IS_WINDOWS: boolean = PLATFORM === "windows";

/** Whether a file has a mode. On Windows it has none: a new one inherits who may read it from its folder. */
export const HAS_FILE_MODES: boolean = !IS_WINDOWS;

/**
 * Calls `onFirst` at the first request to stop: SIGINT everywhere, SIGTERM where it exists (Windows
 * has no SIGTERM to listen to; there SIGBREAK, sent by Ctrl+Break, takes its place). A second
 * request ends the process at once with 130, as a shell reports an interrupted program.
 */
export function onShutdownSignal(onFirst: (signal: Deno.Signal) => void): void {
  let asked = false;
  const signals: Deno.Signal[] = IS_WINDOWS ? ["SIGINT", "SIGBREAK"] : ["SIGINT", "SIGTERM"];
  for (const signal of signals) {
    Deno.addSignalListener(signal, () => {
      if (asked) Deno.exit(130);
      asked = true;
      onFirst(signal);
    });
  }
}

/**
 * Asks `child` to stop, and ends it when it has not within `graceMs`; 0 ends it unasked. On Windows, where a process
 * cannot be asked, it is ended at once: nothing here depends on a graceful end.
 *
 * @returns the status with which it ended.
 */
export async function stopProcess(
  child: Deno.ChildProcess,
  graceMs: number,
): Promise<Deno.CommandStatus> {
  killIfRunning(child, graceMs > 0 ? "SIGTERM" : "SIGKILL");
  const timer = setTimeout(() => killIfRunning(child, "SIGKILL"), graceMs);
  try {
    return await child.status;
  } finally {
    clearTimeout(timer);
  }
}

function killIfRunning(child: Deno.ChildProcess, signal: Deno.Signal): void {
  try {
    child.kill(signal);
  } catch (error) {
    // It ended by itself in the meantime.
    if (!(error instanceof TypeError || error instanceof Deno.errors.NotFound)) throw error;
  }
}

/** Whether a process with this id exists (also when it belongs to somebody else). */
export function isProcessAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

/** The command that opens `target`, a URL or a file, in the browser that the person has chosen. */
export function browserCommand(
  target: string,
  platform: typeof PLATFORM = PLATFORM,
): readonly [string, ...string[]] {
  switch (platform) {
    case "darwin":
      return ["open", target];
    case "windows":
      return ["rundll32", "url.dll,FileProtocolHandler", target];
    default:
      return ["xdg-open", target];
  }
}

/** A program that has not failed by then has opened a browser, or is one. */
const OPENED_AFTER_MS = 3_000;

/**
 * Opens `target`, a URL or a file, in the person's browser. n.b. whoever uses the machine can read it
 * in the list of processes: no secret may stand in it.
 *
 * @returns whether a browser was found: there is none on a server.
 */
export async function openInBrowser(target: string): Promise<boolean> {
  const [program, ...args] = browserCommand(target);
  try {
    const child = new Deno.Command(program, {
      args,
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    child.unref();
    const timeUp = new AbortController();
    const isLong = delay(OPENED_AFTER_MS, true, { signal: timeUp.signal }).catch(() => true);
    const isOpen = await Promise.race([child.status.then(({ success }) => success), isLong]);
    timeUp.abort();
    return isOpen;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
