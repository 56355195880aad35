/** `deno task audit`, as the gate runs it, against a registry that answers, is away, or never answers. */
import assert from "node:assert/strict";
import { type Finished, runDeno } from "../../testbed/project/run_deno.ts";

const AUDIT = ["run", "-q", "-P=operator", "tasks/audit.ts"];
const ADVISORY = {
  id: 1,
  url: "https://example.com/GHSA-1",
  title: "A body of one kind is taken for another",
  severity: "high",
  vulnerable_versions: "<99.0.0",
  cwe: [],
  cvss: { score: 7, vectorString: null },
};

interface Registry extends AsyncDisposable {
  readonly url: string;
  /** The packages that were asked about. */
  readonly asked: string[];
}

/** The one endpoint of npm's registry that is asked: https://docs.npmjs.com/auditing-package-dependencies. */
function registry(answer: () => Response | Promise<Response>): Registry {
  const asked: string[] = [];
  const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    asked.push(...Object.keys(await request.json()));
    return await answer();
  });
  const url = `http://127.0.0.1:${server.addr.port}/`;
  return { url, asked, [Symbol.asyncDispose]: () => server.shutdown() };
}

function audit(url: string, ...args: readonly string[]): Promise<Finished> {
  return runDeno([...AUDIT, "--registry", url, ...args]);
}

Deno.test("audit asks about what is in deno.lock, and ends with 0 where nothing is known", async () => {
  await using clean = registry(() => Response.json({}));
  const { code, stdout, stderr } = await audit(clean.url, "--required");
  assert.equal(code, 0, stderr);
  assert.equal(stdout, "No advisory is known for the packages in deno.lock\n");
  for (const name of ["amqplib", "hono", "zod"]) assert.ok(clean.asked.includes(name), name);
});

Deno.test("audit tells an advisory, without its control characters, and ends with 1", async () => {
  const title = `\u001b[2J${ADVISORY.title}`;
  await using bad = registry(() => Response.json({ hono: [{ ...ADVISORY, title }] }));
  const { code, stdout } = await audit(bad.url);
  assert.equal(code, 1);
  assert.match(stdout, /A body of one kind is taken for another/);
  assert.ok(!stdout.includes("\u001b"));
});

Deno.test("audit tells a registry that is away or never answers, and ends with 0 unless it is required", async () => {
  const { promise: never, resolve } = Promise.withResolvers<Response>();
  await using silent = registry(() => never);
  for (
    const [url, args, told] of [
      ["http://127.0.0.1:1/", [], /Connection refused|tcp connect error/i],
      [silent.url, ["--timeout-ms", "3000"], /did not end within 3 s/],
    ] as const
  ) {
    const { code, stderr } = await audit(url, ...args);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /^The registry's advisories are not known: /);
    assert.match(stderr, told);
  }
  assert.equal((await audit("http://127.0.0.1:1/", "--required")).code, 1);
  resolve(Response.json({}));
});
