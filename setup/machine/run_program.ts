/** Runs another program to its end, in bounded time. */

/** How a program ended. */
export interface ProgramResult {
  readonly success: boolean;
  /** Its output alone. */
  readonly stdout: string;
  /** Its output and its errors, in the order of the two streams. */
  readonly output: string;
}

/** How to run a program. */
export interface RunOptions {
  readonly timeoutMs: number;
  /** Added to ours. */
  readonly env?: Record<string, string>;
  /** Whether `env` is all that the program gets. @default false */
  readonly clearEnv?: boolean;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs `program` and collects what it prints. One that takes longer than `timeoutMs` is ended, and
 * was no success; a child of it that goes on is not waited for.
 *
 * @returns `undefined` when there is no such program.
 * @throws the signal's reason when it aborts.
 */
export async function runProgram(
  program: string,
  args: readonly string[],
  { timeoutMs, env = {}, clearEnv = false, signal }: RunOptions,
): Promise<ProgramResult | undefined> {
  signal?.throwIfAborted();
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  try {
    const ended = signal ? AbortSignal.any([signal, timeout.signal]) : timeout.signal;
    const child = new Deno.Command(program, {
      args: [...args],
      env,
      clearEnv,
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      signal: ended,
    }).spawn();
    const [{ success }, stdout, stderr] = await Promise.all([
      child.status,
      textUntil(child.stdout, ended),
      textUntil(child.stderr, ended),
    ]);
    signal?.throwIfAborted();
    const output = `${stdout}${stderr}`.trim();
    if (!timeout.signal.aborted) return { success, stdout, output };
    const overdue = `${program} did not end within ${timeoutMs / 1_000} s`;
    return { success: false, stdout, output: `${output}\n${overdue}`.trim() };
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

/** What `stream` brings until its end, or until `ended` aborts: whoever else holds it open may go on. */
async function textUntil(stream: ReadableStream<Uint8Array>, ended: AbortSignal): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  const into = new WritableStream<Uint8Array>({
    write: (chunk) => void (text += decoder.decode(chunk, { stream: true })),
  });
  await stream.pipeTo(into, { signal: ended }).catch((error) => {
    if (!ended.aborted) throw error;
  });
  return text + decoder.decode();
}

/** The last `count` lines of a program's output, for an error message. */
export function lastLines(output: string, count = 5): string {
  return output.split("\n").slice(-count).map((line) => `    ${line.trimEnd()}`).join("\n");
}
