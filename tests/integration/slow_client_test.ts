/** Clients that take their time, or that are too many: what the server of the users API does then. */
import assert from "node:assert/strict";
import { setTimeout as delay } from "node:timers/promises";
import { type HttpOptions, type HttpServer, serveHttp } from "@ecomarket/shared/http/serve_http";
import { roleLogger } from "@ecomarket/shared/process/log";
import { eventually } from "../support/eventually.ts";
import { RawClient } from "../support/raw_client.ts";

const HEAD = "POST /users HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
const HALF_BODY = `${HEAD}Content-Length: 50\r\n\r\n{"nombre":`;
const WHOLE = `${HEAD}Content-Length: 2\r\n\r\n{}`;

/** With which no deadline of a request comes into play. */
const PATIENT = { headerTimeoutMs: 60_000, requestTimeoutMs: 60_000 };

/** A server that answers with how many bytes it was sent. */
async function serve(options: Partial<HttpOptions> = {}): Promise<HttpServer & AsyncDisposable> {
  const server = await serveHttp({
    host: "127.0.0.1",
    port: 0,
    handler: async (request) => Response.json((await request.arrayBuffer()).byteLength),
    choosePort: (port) => `PORT=${port}`,
    log: roleLogger("slow-client"),
    headerTimeoutMs: 200,
    requestTimeoutMs: 400,
    shutdownTimeoutMs: 500,
    ...options,
  });
  return { ...server, [Symbol.asyncDispose]: () => server.shutdown() };
}

/** Demands that `answer` is one response with a problem of this status, which ends its connection. */
function assertProblem(answer: string, status: number): void {
  const [head, body] = answer.split("\r\n\r\n");
  assert.match(head!, new RegExp(`^HTTP/1.1 ${status} `));
  assert.match(head!, /^Content-Type: application\/problem\+json$/im);
  assert.match(head!, /^Connection: close$/im);
  assert.equal(JSON.parse(body!).status, status);
}

/** What a client sends, and then says nothing more. */
const HALVES: Readonly<Record<string, string>> = {
  "nothing at all": "",
  "half a header": "POST /users HTTP/1.1\r\nHos",
  "half a body": HALF_BODY,
  "half a chunk": `${HEAD}Transfer-Encoding: chunked\r\n\r\n32\r\n{"nombre":`,
};

/** What is answered before it has arrived, by a server that looks at no body. */
const ANSWERED_EARLY: Readonly<Record<string, string>> = {
  "a GET with a body": "GET /healthz HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n",
  "a GET in chunks":
    "GET /healthz HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n32\r\n{",
  "a POST": HALF_BODY,
};

for (const [name, text] of Object.entries(ANSWERED_EARLY)) {
  Deno.test(`serveHttp() closes after its answer to ${name} that goes on byte by byte`, async () => {
    await using server = await serve({ handler: () => Response.json("early") });
    await using client = await RawClient.connect(server.url);
    await client.send(text);
    const dripping = new AbortController();
    const drip = (async () => {
      while (!dripping.signal.aborted && await client.send("x")) await delay(20);
    })();
    assert.match(await client.closed, /^HTTP\/1.1 200 [^]*"early"/);
    dripping.abort();
    await drip;
  });
}

for (const [name, text] of Object.entries(HALVES)) {
  Deno.test(`serveHttp() answers 408 to a client that sends ${name}, and closes`, async () => {
    await using server = await serve();
    await using client = await RawClient.connect(server.url);
    await client.send(text);
    assertProblem(await client.closed, 408);
  });
}

/** What a client has sent already, and what it goes on with, one byte at a time. */
const DRIPS: Readonly<Record<string, readonly [string, string]>> = {
  header: ["POST /users HTTP/1.1\r\nX-Slow: ", "x"],
  body: [`${HEAD}Content-Length: 100000\r\n\r\n`, " "],
};

for (const [name, [start, drop]] of Object.entries(DRIPS)) {
  Deno.test(`serveHttp() answers 408 to a client whose ${name} drips, and closes`, async () => {
    await using server = await serve();
    await using client = await RawClient.connect(server.url);
    await client.send(start);
    let isOpen = true;
    const answer = client.closed.finally(() => isOpen = false);
    let drops = 0;
    while (isOpen) {
      if (await client.send(drop)) drops++;
      await delay(20);
    }
    assert.ok(drops > 1, "it went on sending");
    assertProblem(await answer, 408);
  });
}

Deno.test("serveHttp() answers what is no HTTP with 400, and too long a header with 431", async () => {
  await using server = await serve();
  await using stranger = await RawClient.connect(server.url);
  await stranger.send("AMQP\0\0\x09\x01\r\n\r\n");
  assertProblem(await stranger.closed, 400);
  await using talker = await RawClient.connect(server.url);
  await talker.send(`GET / HTTP/1.1\r\nHost: localhost\r\nX-Long: ${"x".repeat(100_000)}`);
  assertProblem(await talker.closed, 431);
});

Deno.test("serveHttp() keeps a connection for the next request, and answers those sent at once in order", async () => {
  await using server = await serve();
  await using client = await RawClient.connect(server.url);
  await client.send(WHOLE);
  await eventually(() => assert.match(client.heard, /\r\n\r\n2$/));
  const two =
    `${HEAD}Content-Length: 3\r\n\r\n{ }${HEAD}Connection: close\r\nContent-Length: 4\r\n\r\n{  }`;
  await client.send(two);
  const answers = (await client.closed).split(/(?=HTTP\/1\.1 )/);
  assert.deepEqual(answers.map((answer) => answer.at(-1)), ["2", "3", "4"]);
});

Deno.test("serveHttp() closes a connection on which nothing more is asked", async () => {
  await using server = await serve({ ...PATIENT, idleTimeoutMs: 100 });
  await using client = await RawClient.connect(server.url);
  await client.send(WHOLE);
  assert.match(await client.closed, /^HTTP\/1\.1 200 OK[^]*2$/);
});

Deno.test("serveHttp() cuts a client that asks and asks, and reads no answer", async () => {
  await using server = await serve({ ...PATIENT, idleTimeoutMs: 100 });
  const { hostname, port } = new URL(server.url);
  using client = await Deno.connect({ hostname, port: Number(port) });
  const questions = new TextEncoder().encode(WHOLE.repeat(1_000));
  await assert.rejects(async () => {
    for (;;) await client.write(questions);
  }, /reset|Broken pipe/);
});

Deno.test("serveHttp() lets no 408 pass for the answer of the request before", async () => {
  const answered = Promise.withResolvers<void>();
  await using server = await serve({
    async handler(request) {
      await answered.promise;
      return Response.json(await request.text());
    },
  });
  await using client = await RawClient.connect(server.url);
  await client.send(`${WHOLE}POST /users HT`);
  assert.equal(await client.closed, "");
  answered.resolve();
});

Deno.test("serveHttp() closes connections above its limit, and serves those that stand", async () => {
  await using server = await serve({ ...PATIENT, maxConnections: 2 });
  await using first = await RawClient.connect(server.url);
  await using second = await RawClient.connect(server.url);
  await first.send(WHOLE);
  await second.send(WHOLE);
  await eventually(() => [first, second].forEach(({ heard }) => assert.match(heard, /2$/)));
  await using third = await RawClient.connect(server.url);
  await third.send(WHOLE);
  assert.equal(await third.closed, "");
  await first.send(WHOLE);
  await eventually(() => assert.match(first.heard, /2HTTP\/1\.1 200 OK[^]*2$/));

  await second[Symbol.asyncDispose]();
  await eventually(async () => {
    await using next = await RawClient.connect(server.url);
    await next.send(WHOLE.replace("\r\n\r\n", "\r\nConnection: close\r\n\r\n"));
    assert.match(await next.closed, /^HTTP\/1\.1 200 OK/);
  });
});

Deno.test("serveHttp() ends in time, and answers what arrives whole until then, whatever clients do", async () => {
  const server = await serve(PATIENT);
  await using half = await RawClient.connect(server.url);
  await half.send("POST /users HTTP/1.1\r\nHos");
  await using stuck = await RawClient.connect(server.url);
  await stuck.send(HALF_BODY);
  await using slow = await RawClient.connect(server.url);
  await slow.send(`${HEAD}Content-Length: 2\r\n\r\n{`);
  await using idle = await RawClient.connect(server.url);
  await idle.send(WHOLE);
  await eventually(() => assert.match(idle.heard, /2$/));
  const ended = server.shutdown();
  await idle.send(WHOLE);
  await slow.send("}");
  await ended;
  assertProblem((await idle.closed).slice(idle.heard.indexOf("2HTTP") + 1), 503);
  assert.match(await slow.closed, /^HTTP\/1\.1 200 OK[^]*2$/);
  assert.equal(await half.closed, "");
  assert.equal(await stuck.closed, "");
});
