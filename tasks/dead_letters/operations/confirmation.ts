/** What is asked of a person before it is done, and what is said where nobody can answer. */
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline/promises";
import { EcoMarketError } from "@ecomarket/shared/base/errors";

/** Something was to be confirmed, and was not: nothing was done. */
export class UnconfirmedError extends EcoMarketError {
  override readonly code = "UNCONFIRMED";
  override readonly exitCode = 2;
}

/**
 * Resolves once the person at the terminal has said yes to `what`.
 *
 * @param flag what says so on the command line, such as `--yes`.
 * @throws {UnconfirmedError} when the answer is another one, or nobody is at a terminal.
 * @throws an `AbortError` when `signal` aborts.
 */
export async function confirmed(what: string, flag: string, signal: AbortSignal): Promise<void> {
  if (!Deno.stdin.isTerminal()) {
    throw new UnconfirmedError(`${what} Nothing was done. To go on, add ${flag}`);
  }
  // n.b. not confirm(): it stops the event loop, and with it Ctrl+C.
  const terminal = createInterface({
    input: process.stdin,
    output: process.stderr,
    terminal: false,
  });
  try {
    // n.b. at the end of the input (Ctrl+D) a question is never answered.
    const ended = once(terminal, "close").then(() => "");
    const question = terminal.question(`${what} Go on? [y/N] `, { signal });
    const answer = await Promise.race([question, ended]);
    if (/^y(es)?$/i.test(answer.trim())) return;
    throw new UnconfirmedError("Nothing was done");
  } finally {
    terminal.close();
  }
}
