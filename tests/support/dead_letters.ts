/** `deno task dead-letters` as a person runs it, in its sandbox, and what it says as data. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PermanentError } from "@ecomarket/shared/base/errors";
import { DEAD_LETTER_EXCHANGE } from "@ecomarket/shared/contract/topology";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { PROJECT_ROOT } from "@ecomarket/testbed/project/project_root";
import { type Finished, runDeno } from "../../testbed/project/run_deno.ts";
import { archived } from "./archive.ts";
import { type Bench, type RecordingConsumer, recordingConsumer } from "./bench.ts";
import { eventually } from "./eventually.ts";

const SCRIPT = "tasks/dead_letters/dead_letters.ts";

/** n.b. a folder that is not `data/` is two more flags, as docs/reference.md says. */
function command(directory: string): string[] {
  const flags = [`--allow-read=${directory}`, `--allow-write=${directory}/dead_letters`];
  return ["run", "-q", "-P=dead-letters", ...flags, SCRIPT];
}

function environment(bench: Pick<Bench, "amqpUrl" | "directory">): Record<string, string> {
  return { AMQP_URL: bench.amqpUrl, DATA_DIR: bench.directory, USER: "ana", HOSTNAME: "portatil" };
}

/** Runs the command on the broker and the folder of `bench`, to its end. */
export function deadLetters(
  bench: Pick<Bench, "amqpUrl" | "directory">,
  ...args: readonly string[]
): Promise<Finished> {
  return runDeno([...command(bench.directory), ...args], environment(bench));
}

/** What the command says with `--json`. Fails where it does not end with `code`. */
export async function deadLettersJson(
  bench: Pick<Bench, "amqpUrl" | "directory">,
  args: readonly string[],
  code = 0,
  // deno-lint-ignore no-explicit-any -- a test asserts what is in it
): Promise<any> {
  const finished = await deadLetters(bench, ...args, "--json");
  assert.equal(finished.code, code, `${finished.stdout}${finished.stderr}`);
  return JSON.parse(finished.stdout);
}

/** Starts the command, for a test that stops it. What it says is there to be read. */
export function startDeadLetters(
  bench: Pick<Bench, "amqpUrl" | "directory">,
  ...args: readonly string[]
): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [...command(bench.directory), ...args],
    cwd: PROJECT_ROOT,
    env: environment(bench),
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Resolves once the archive holds `count` dead letters, copies and tombstones among them. */
export async function untilArchived(bench: Bench, count: number): Promise<void> {
  await eventually(() => assert.equal(archived(bench).length, count), 30_000);
}

/** A consumer of `email_queue` that fails for good until it is mended. */
export interface Mendable {
  readonly consumer: RecordingConsumer;
  /** What the broker gave it, duplicates that no handler sees among it. */
  deliveries(): number;
  mend(): void;
}

/** Makes one. */
export function mendable(): Mendable {
  let isMended = false;
  let deliveries = 0;
  const consumer = recordingConsumer((user) => {
    if (!isMended) throw new PermanentError(`the template of ${user} is missing`);
  });
  const counted: RecordingConsumer = {
    ...consumer,
    spec(delaysMs) {
      const spec = consumer.spec(delaysMs);
      return {
        ...spec,
        decode(message) {
          deliveries++;
          return spec.decode(message);
        },
      };
    },
  };
  return { consumer: counted, deliveries: () => deliveries, mend: () => void (isMended = true) };
}

/** `count` events, published with their own ids. */
export function publishMany(bench: Bench, count: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const user = { user_id: `u-${n}`, nombre: "Ana", email: "ana@example.com" };
    const event = createUsuarioCreado(user);
    bench.publishRaw(event, { messageId: event.event_id });
    return event.event_id;
  }).sort();
}

/** Publishes a dead letter, as the broker or anybody else might. */
export function publishDead(bench: Bench, body: unknown, headers: Record<string, unknown>): void {
  const content = Buffer.from(JSON.stringify(body));
  bench.channel.publish(DEAD_LETTER_EXCHANGE, "", content, { messageId: "m-1", headers });
}

/** Runs `sql` on the archive, as a process would have left it that was killed. */
export function inArchive(bench: Bench, sql: string, ...params: (string | number)[]): void {
  using db = new DatabaseSync(join(bench.directory, "dead_letters", "store.sqlite"));
  db.prepare("PRAGMA busy_timeout = 5000").run();
  db.prepare(sql).run(...params);
}

/** What became of each item of an operation, in a word. */
export function verdicts(report: { items: { verdict: { kind: string } }[] }): string[] {
  return report.items.map(({ verdict }) => verdict.kind);
}
