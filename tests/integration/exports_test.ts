/** The two pages of exports, one for who subscribes and one for who publishes: their examples run. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { queueStatus } from "@ecomarket/shared/broker/queue_status";
import { readStore } from "@ecomarket/testbed/stores/read_store";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { ROOT } from "../support/project_files.ts";

const broker = brokerOfFile();

/** The URL that an example connects to. */
const USUAL_URL = "amqp://ecomarket_user:ecomarket_password@localhost:5672";

/** The one block of code in the docstring of the module at `path`. */
async function exampleOf(path: string): Promise<string> {
  const source = await Deno.readTextFile(join(ROOT, path));
  const docstring = /^\/\*\*[\s\S]*?\*\//.exec(source)![0].replaceAll(/^ \* ?/gm, "");
  const [, code = ""] = /```ts\n([\s\S]*?)```/.exec(docstring)!;
  return code;
}

/** Runs `code` as a file of this project. */
async function start(code: string, bench: Bench): Promise<Deno.ChildProcess> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "-q", "-P=operator", "--ext=ts", "-"],
    cwd: ROOT,
    env: { AMQP_URL: bench.amqpUrl, DATA_DIR: bench.directory, RETRY_DELAYS_MS: "50,100,150" },
    stdin: "piped",
    stdout: "null",
    stderr: "inherit",
  }).spawn();
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(code));
  await writer.close();
  return child;
}

Deno.test("the examples on the pages of exports run: what one publishes, the other one writes down", async () => {
  await using bench = await Bench.open(broker);
  const subscriber = await start(await exampleOf("shared/subscriber/mod.ts"), bench);
  bench.cleanup.defer(async () => {
    subscriber.kill("SIGTERM");
    assert.equal((await subscriber.status).code, 0);
  });
  await eventually(async () => {
    const { audit_queue } = await queueStatus(bench.connection, ["audit_queue"]);
    assert.equal(audit_queue?.consumers, 1);
  });

  const example = await exampleOf("publisher/levels/mod.ts");
  assert.ok(example.includes(USUAL_URL));
  const publisher = await start(example.replace(USUAL_URL, bench.amqpUrl), bench);
  assert.equal((await publisher.status).code, 0);

  const written = () =>
    readStore(join(bench.directory, "audit"), (db) => db.prepare("SELECT * FROM audit").all());
  await eventually(() => assert.equal(written()?.length, 1));
});
