/** The workshop's publisher in Python, where `python3-pika` is installed: a connection for each event. */
import { fileURLToPath } from "node:url";
import { z } from "zod";
import { USER_EVENTS_EXCHANGE } from "@ecomarket/shared/contract/topology";

/** n.b. Debian's package is for Debian's own Python, which need not be the first on the PATH. */
const PYTHONS = ["/usr/bin/python3", "python3"];
const SCRIPT = fileURLToPath(new URL("./workshop.py", import.meta.url));
const answerSchema = z.object({ published: z.number(), seconds: z.number().positive() });

/** A Python that knows `pika`, if there is one. */
export async function findPika(): Promise<string | undefined> {
  for (const python of PYTHONS) {
    const found = await run(python, ["-c", "import pika"]).catch(() => undefined);
    if (found?.success) return python;
  }
  return undefined;
}

/** Events a second that the workshop's publisher hands over, with a connection for each. */
export async function workshopRate(python: string, amqpUrl: string, ms: number): Promise<number> {
  const { success, stdout, stderr } = await run(python, [
    SCRIPT,
    amqpUrl,
    USER_EVENTS_EXCHANGE,
    String(ms / 1000),
  ]);
  if (!success) throw new Error(`workshop.py failed: ${new TextDecoder().decode(stderr)}`);
  const { published, seconds } = answerSchema.parse(JSON.parse(new TextDecoder().decode(stdout)));
  return published / seconds;
}

function run(python: string, args: readonly string[]): Promise<Deno.CommandOutput> {
  return new Deno.Command(python, { args: [...args] }).output();
}
