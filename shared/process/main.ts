/**
 * The edge of every command: runs its body, turns what it throws into a message and an exit code,
 * and its signals into an `AbortSignal`.
 */
import { EcoMarketError, messageOf, UsageError } from "../base/errors.ts";
import { flushLog, writeLog } from "./log.ts";
import { onShutdownSignal } from "./platform.ts";
import { printableLines } from "./printable.ts";
import { writeAllSync } from "./write_all.ts";

/** What a command's body is given. */
export interface CommandContext {
  readonly args: readonly string[];
  /** Aborts at the first SIGINT or SIGTERM. A second signal ends the process at once. */
  readonly signal: AbortSignal;
}

/**
 * Runs a command and ends the process with its exit code: what `body` returns (nothing is 0), or
 * the `exitCode` of the {@link EcoMarketError} that it throws, whose message alone is printed. A body
 * that gives up because it was asked to stop ends with 130, as a shell reports an interrupted
 * program. Any other error is a defect of ours: it is printed whole and ends with 70 (`EX_SOFTWARE`).
 */
export async function runCommand(
  usage: string,
  body: (context: CommandContext) => Promise<number | void>,
): Promise<never> {
  const controller = new AbortController();
  onShutdownSignal(() => controller.abort());
  const exitCode = await Promise.try(body, { args: Deno.args, signal: controller.signal })
    .then((code) => code ?? 0)
    .catch((error: unknown) => isAbort(error, controller.signal) ? 130 : report(error, usage));
  await flushLog();
  Deno.exit(exitCode);
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  if (error instanceof SuppressedError) return isAbort(error.suppressed, signal);
  return signal.aborted && error instanceof Error && error.name === "AbortError";
}

function report(error: unknown, usage: string): number {
  if (error instanceof SuppressedError) {
    // Cleaning up failed as well: what went wrong first decides.
    const exitCode = report(error.suppressed, usage);
    printError(`error: cleaning up: ${messageOf(error.error)}`);
    return exitCode;
  }
  if (error instanceof Deno.errors.NotCapable) {
    // The sandbox said no: its own words name the flag to add.
    printError(`error: ${error.message}`);
    return 1;
  }
  if (!(error instanceof EcoMarketError)) {
    printError(error instanceof Error ? error.stack ?? error.message : String(error));
    return 70;
  }
  printError(`error: ${error.message}`);
  if (error instanceof UsageError) printError(`\n${synopsis(usage)}\n\nMore: --help`);
  return error.exitCode;
}

/** The first paragraph of a usage text: more of it would push the error off the screen. */
function synopsis(usage: string): string {
  return usage.trim().split("\n\n", 1)[0]!;
}

/** Prints a command's result, a line or several, to the standard output. */
export function print(line: string): void {
  writeLine(Deno.stdout, line);
}

/** Prints a line or several for the person at the terminal to the standard error. */
export function printError(line: string): void {
  writeLog();
  writeLine(Deno.stderr, line);
}

/** n.b. it may quote what somebody else wrote, which shall not drive the terminal: nothing goes round this. */
function writeLine(target: { writeSync(bytes: Uint8Array): number }, line: string): void {
  try {
    writeAllSync(target, `${printableLines(line).join("\n")}\n`);
  } catch (error) {
    // Whoever read us has seen enough, as in `… | head`.
    if (error instanceof Deno.errors.BrokenPipe) Deno.exit(141);
    throw error;
  }
}
