/** `deno task record`: plays a fixed script in a real terminal, and writes what is seen to `docs/demo.svg`. */
import { join } from "node:path";
import { EcoMarketError } from "@ecomarket/shared/base/errors";
import { parseArguments } from "@ecomarket/shared/process/args";
import { print, printError, runCommand } from "@ecomarket/shared/process/main";
import { withStillFrame } from "./still_frame.ts";

const USAGE = `
Usage: deno task record [--out FILE]

Records the demo, and writes it to docs/demo.svg. It needs asciinema
(sudo apt-get install -y asciinema), and fetches npm:svg-term-cli.
`;

const OUT = "docs/demo.svg";
const COLUMNS = 84;
const ROWS = 30;
/** A pause is cut to this many seconds: nobody watches a broker start. */
const MAX_PAUSE_S = 3;
/** n.b. not in `deno.lock`: it brings 300 packages of its own, and runs here alone, in a sandbox. */
const SVG_TERM = "npm:svg-term-cli@2.1.1";

/** A program of the recording failed. */
class RecordError extends EcoMarketError {
  override readonly code = "CANNOT_RECORD";
}

async function run(
  program: string,
  args: readonly string[],
  folder: string,
  missing: string,
): Promise<void> {
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(program, {
      args: [...args],
      stdin: "null",
      stdout: "piped",
      stderr: "piped",
      // n.b. without it asciinema 2.2 refuses to start where no locale is set.
      env: { LC_ALL: "C.UTF-8", TERM: "xterm-256color", NO_COLOR: "1", TMPDIR: folder },
    }).output();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new RecordError(missing);
    throw error;
  }
  if (output.success) return;
  const said = new TextDecoder().decode(output.stderr).trim();
  throw new RecordError(`${program} ended with ${output.code}: ${said.slice(-500)}`);
}

async function record(out: string): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "ecomarket_record_" });
  try {
    const [cast, svg] = [join(folder, "demo.cast"), join(folder, "demo.svg")];
    printError("Recording (about half a minute) …");
    const script = `${Deno.execPath()} run -q -P=operator tasks/record/script.ts`;
    await run(
      "asciinema",
      [
        "rec",
        "-q",
        "-y",
        "-i",
        String(MAX_PAUSE_S),
        "--cols",
        String(COLUMNS),
        "--rows",
        String(ROWS),
        "-c",
        script,
        cast,
      ],
      folder,
      "asciinema is not installed. Run this, then try again: sudo apt-get install -y asciinema",
    );
    await run(Deno.execPath(), svgTermArguments(folder, cast, svg), folder, "deno is not there");
    await Deno.writeTextFile(out, withStillFrame(await Deno.readTextFile(svg)));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** svg-term in its sandbox: it looks for its own files all over, writes its folder, and reaches nobody. */
function svgTermArguments(folder: string, cast: string, svg: string): string[] {
  return [
    ...["run", "-q", "--no-config", "--no-lock", "--no-prompt"],
    ...["--allow-read", `--allow-write=${folder}`, "--allow-env", "--allow-sys"],
    SVG_TERM,
    ...["--in", cast, "--out", svg, "--window", "--no-cursor"],
  ];
}

if (import.meta.main) {
  await runCommand(USAGE, async ({ args }) => {
    const { values } = parseArguments(args, { out: { type: "string" } });
    if (values.help) return print(USAGE.trim());
    const out = values.out ?? OUT;
    await record(out);
    print(`${out} is written.`);
  });
}
