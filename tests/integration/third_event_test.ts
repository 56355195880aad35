/** One more event, in a copy of the project: a file of its own, its lines in the catalogue, and nothing else. */
import assert from "node:assert/strict";
import { join, relative } from "node:path";
import { connectOnce } from "@ecomarket/shared/broker/connection";
import { queueStatus } from "@ecomarket/shared/broker/queue_status";
import { openForReading } from "@ecomarket/shared/store/sqlite";
import { startTestBroker, testVhost } from "@ecomarket/testbed/broker/test_broker";
import { copyProject } from "../../testbed/project/project_copy.ts";
import { eventually } from "../support/eventually.ts";

const CATALOGUE = "shared/contract/catalogue.ts";

/** What is written for it: the event, who wants it, and who publishes it. */
const WRITTEN: Readonly<Record<string, string>> = {
  "shared/contract/producto_agotado.ts": `/** A product has run out. */
import { z } from "zod";
import { defineEvent, type Envelope, type EventDefinition } from "./event.ts";
import { shortText } from "./fields.ts";

/** A product has run out. */
export interface ProductoAgotado extends Envelope<"ProductoAgotado"> {
  readonly product_id: string;
  readonly warehouse: string;
}

/** Its definition. */
export const ProductoAgotado: EventDefinition<ProductoAgotado> = defineEvent({
  type: "ProductoAgotado",
  version: 1,
  exchange: "product_events",
  schema: z.object({ product_id: shortText(64), warehouse: shortText(64) }),
});
`,
  "consumers/restock.ts": `/** Writes down what has to be ordered. */
import { eventConsumer, runConsumer } from "@ecomarket/shared/subscriber";

await runConsumer(eventConsumer({
  name: "restock",
  queue: "restock_queue",
  migrations: ["CREATE TABLE orders (product_id TEXT NOT NULL, warehouse TEXT NOT NULL) STRICT"],
  on: {
    ProductoAgotado: ({ product_id, warehouse }) => [
      { sql: "INSERT INTO orders VALUES (?, ?)", params: [product_id, warehouse] },
    ],
  },
}));
`,
  "publisher/announce.ts": `/** Announces a product that has run out. */
import { EVENTS } from "@ecomarket/shared/contract/catalogue";
import { roleLogger } from "@ecomarket/shared/process/log";
import { print } from "@ecomarket/shared/process/main";
import { RobustPublisher } from "./levels/robust_publisher.ts";

await using publisher = await RobustPublisher.connect({
  urls: [Deno.env.get("AMQP_URL")!],
  log: roleLogger("announce"),
  events: ["ProductoAgotado"],
});
const event = EVENTS.ProductoAgotado.create({ product_id: "cafe-1kg", warehouse: "Puebla" });
print((await publisher.publish(event)).status);
`,
};

/** The catalogue with one event more. */
function withThirdEvent(catalogue: string): string {
  return catalogue
    .replace(
      'import { parseBody, type RawMessage } from "./message.ts";\n',
      (line) => `${line}import { ProductoAgotado } from "./producto_agotado.ts";\n`,
    )
    .replace(
      "  readonly CompraRealizada: CompraRealizada;\n",
      (line) =>
        `${line}  /** A product has run out. */\n  readonly ProductoAgotado: ProductoAgotado;\n`,
    )
    .replace("  CompraRealizada,\n};", "  CompraRealizada,\n  ProductoAgotado,\n};");
}

/** Each file below `folder`, with what is in it; without what is made at run time. */
async function filesOf(folder: string): Promise<Map<string, string>> {
  const files = new Map<string, string>();
  const visit = async (directory: string) => {
    for await (const { name, isDirectory } of Deno.readDir(directory)) {
      const path = join(directory, name);
      if (path === join(folder, "data")) continue;
      if (isDirectory) await visit(path);
      else files.set(relative(folder, path), await Deno.readTextFile(path));
    }
  };
  await visit(folder);
  return files;
}

Deno.test("a third event is one file and its lines in the catalogue, and nobody else is bothered", async () => {
  await using broker = await startTestBroker();
  await using vhost = await testVhost(broker);
  await using copy = await copyProject();
  await using cleanup = new AsyncDisposableStack();
  const { amqpUrl } = vhost;
  const env = { AMQP_URL: amqpUrl, FAST_RETRY: "1" };
  /** Starts `deno` in the copy. */
  const start = (...args: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args,
      cwd: copy.path,
      env,
      stdin: "null",
      stdout: "piped",
    });
  const run = async (...args: string[]) => {
    const { code, stdout, stderr } = await start(...args).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    return new TextDecoder().decode(stdout);
  };
  const statusOf = async (...queues: string[]) => {
    const connection = await connectOnce([amqpUrl], "test");
    return await queueStatus(connection, queues).finally(() => connection.close());
  };

  const before = await filesOf(copy.path);
  for (const [path, text] of Object.entries(WRITTEN)) {
    await Deno.writeTextFile(join(copy.path, path), text);
  }
  await Deno.writeTextFile(join(copy.path, CATALOGUE), withThirdEvent(before.get(CATALOGUE)!));

  await run("check", "-q");
  await run(
    "test",
    "-q",
    "-P=operator",
    "tests/unit/catalogue_test.ts",
    "tests/unit/arrows_test.ts",
  );
  const table = await run("run", "-q", "-P=setup-queues", "setup/queues/setup_queues.ts");
  assert.match(table, /\n8 exchanges, 14 queues and 19 bindings stand\.\n$/);

  const folder = join(copy.path, "data", "restock");
  const consumer = start(
    ...["run", "-q", "-P=audit-consumer", `--allow-read=${folder}`, `--allow-write=${folder}`],
    "consumers/restock.ts",
  ).spawn();
  await consumer.stdout.cancel();
  cleanup.defer(async () => {
    consumer.kill("SIGTERM");
    assert.equal((await consumer.status).code, 0);
  });
  await eventually(async () => {
    const { restock_queue } = await statusOf("restock_queue");
    assert.equal(restock_queue?.consumers, 1);
  });
  assert.equal(await run("run", "-q", "-P=publisher", "publisher/announce.ts"), "confirmed\n");

  await eventually(() => {
    const db = openForReading(folder);
    try {
      assert.deepEqual(db?.prepare("SELECT * FROM orders").all().map((row) => ({ ...row })), [
        { product_id: "cafe-1kg", warehouse: "Puebla" },
      ]);
    } finally {
      db?.close();
    }
  });
  const others = ["email_queue", "loyalty_queue", "analytics_queue", "dead_letter_queue"];
  const ready = Object.values(await statusOf(...others)).map((status) => status?.ready);
  assert.deepEqual(ready, [0, 0, 0, 0]);

  const after = await filesOf(copy.path);
  const touched = [...after].filter(([path, text]) => before.get(path) !== text).map(([path]) =>
    path
  );
  assert.deepEqual(touched.sort(), [...Object.keys(WRITTEN), CATALOGUE].sort());
  assert.equal(after.size, before.size + Object.keys(WRITTEN).length);
});
