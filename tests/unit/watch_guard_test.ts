/** Who may look at the live page, and who may press its buttons. */
import assert from "node:assert/strict";
import type { Action } from "../../watch/view/actions.ts";
import { createApp } from "../../watch/server/app.ts";
import { readAssets } from "../../watch/server/assets.ts";
import { LiveStream } from "../../watch/server/live_stream.ts";
import { newToken } from "../../watch/server/guard.ts";
import type { View } from "../../watch/view/view.ts";

const PORT = 4711;
const HERE = `127.0.0.1:${PORT}`;
const TOKEN = newToken();
const pressed: Action[] = [];
using stream = new LiveStream(() => ({ now: 1 }) as View);
const app = createApp({
  assets: await readAssets(),
  stream,
  story: () => undefined,
  act: (action) => pressed.push(action),
  token: TOKEN,
  port: () => PORT,
});
stream[Symbol.dispose]();

function ask(path: string, init: RequestInit & { headers?: Record<string, string> } = {}) {
  return app.request(path, { ...init, headers: { host: HERE, ...init.headers } });
}

function press(action: unknown, headers: Record<string, string>) {
  const body = JSON.stringify(action);
  return ask("/actions", { method: "POST", body, headers: { ...headers } });
}

const withToken = { authorization: `Bearer ${TOKEN}` };

Deno.test("the live page answers to the loopback's names alone", async () => {
  for (const host of [HERE, `localhost:${PORT}`, `[::1]:${PORT}`]) {
    assert.equal((await ask("/", { headers: { host } })).status, 200, host);
  }
  for (
    const host of [
      "evil.example",
      `evil.example:${PORT}`,
      "127.0.0.1:1",
      `127.0.0.1.evil.example:${PORT}`,
    ]
  ) {
    assert.equal((await ask("/", { headers: { host } })).status, 403, host);
  }
});

Deno.test("the live page gives another origin 403, also with the token", async () => {
  for (
    const headers of [
      { origin: "https://evil.example" },
      { origin: "http://127.0.0.1:8000" },
      { origin: "null" },
      { "sec-fetch-site": "cross-site" },
      { "sec-fetch-site": "same-site" },
    ] as Record<string, string>[]
  ) {
    assert.equal((await press({ kind: "stop-broker" }, { ...withToken, ...headers })).status, 403);
    assert.equal((await ask("/stream", { headers })).status, 403);
  }
  assert.deepEqual(pressed, []);
});

Deno.test("no button of the live page works without the token, or with another one", async () => {
  for (const headers of [{}, { authorization: `Bearer ${newToken()}` }, { authorization: TOKEN }]) {
    assert.equal(
      (await press({ kind: "stop-broker" }, headers as Record<string, string>)).status,
      403,
    );
  }
  assert.deepEqual(pressed, []);
  assert.deepEqual(await (await ask("/session")).json(), { acts: false });
  assert.deepEqual(await (await ask("/session", { headers: withToken })).json(), { acts: true });
});

Deno.test("a button of the live page does what is known, and nothing else", async () => {
  const origin = `http://${HERE}`;
  const answer = await press({ kind: "kill", consumer: "email" }, { ...withToken, origin });
  assert.equal(answer.status, 202);
  assert.deepEqual(pressed.splice(0), [{ kind: "kill", consumer: "email" }]);
  for (
    const action of [
      { kind: "kill", consumer: "../../bin/sh" },
      { kind: "publish", count: 1_000_000 },
      { kind: "publish", count: 1, fail: "email:crash; rm" },
      { kind: "replay", letter: "1" },
      { kind: "reset" },
      "no object",
    ]
  ) {
    assert.equal((await press(action, withToken)).status, 400, JSON.stringify(action));
  }
  assert.deepEqual(pressed, []);
});

Deno.test("the live page allows no script but its own, and serves no file but its own", async () => {
  const page = await ask("/");
  const policy = page.headers.get("content-security-policy")!;
  assert.match(policy, /default-src 'none'; script-src 'self'; style-src 'self'/);
  assert.doesNotMatch(policy, /unsafe/);
  assert.doesNotMatch(await page.text(), /<script>|<style>|\son\w+=|\sstyle=/);
  const script = await ask("/page/main.ts");
  assert.match(script.headers.get("content-type")!, /^text\/javascript/);
  assert.doesNotMatch(await script.text(), /import type|: View/);
  for (
    const path of [
      "/watch.ts",
      "/server/guard.ts",
      "/page/../watch.ts",
      "/page/%2e%2e/watch.ts",
      "/deno.json",
    ]
  ) {
    assert.equal((await ask(path)).status, 404, path);
  }
});
