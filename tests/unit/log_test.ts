/** The log as a role writes it: from a process of its own, configured by the environment. */
import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const SCRIPT = fileURLToPath(new URL("../support/log_lines.ts", import.meta.url));

interface Logged {
  readonly lines: readonly string[];
  readonly stdout: string;
}

/** What a process logs about a user. */
async function log(
  env: Readonly<Record<string, string>>,
  nombre = "María José Ñáñez 🌱",
): Promise<Logged> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-q",
      "--no-check",
      "--allow-env=LOG_FORMAT,LOG_LEVEL,LOG_EMAILS",
      SCRIPT,
      nombre,
      "mariajose@example.com",
    ],
    clearEnv: true,
    env: { ...withoutLogging(Deno.env.toObject()), ...env },
  }).output();
  const text = new TextDecoder().decode(stderr);
  assert.equal(code, 0, text);
  return { lines: text.split("\n").slice(0, -1), stdout: new TextDecoder().decode(stdout) };
}

/** This process's environment, but for what configures a log. */
function withoutLogging(env: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("LOG_")));
}

Deno.test("configureLog() writes one line a record to the standard error, and nothing to the other", async () => {
  const { lines, stdout } = await log({});
  assert.equal(stdout, "");
  assert.deepEqual(lines.map((line) => line.replace(/^\S+/, "TIME")), [
    "TIME INFO    email       Welcome email to María José Ñáñez 🌱 <mariajose@example.com>",
    "TIME ERROR   email       Attempt 2 failed (no such box: mariajose@example.com)",
  ]);
});

Deno.test("configureLog() writes one JSON object a line for a collector, without email addresses", async () => {
  const { lines } = await log({ LOG_FORMAT: "json" });
  const [welcome, failure, ...others] = lines.map((line) => JSON.parse(line));
  assert.deepEqual(others, []);
  assert.equal(welcome.level, "INFO");
  assert.equal(welcome.logger, "ecomarket.email");
  assert.match(welcome.message, /^Welcome email to .*María José Ñáñez 🌱.*\[email\]/);
  assert.equal(welcome.email, "[email]");
  assert.equal(welcome.nombre, "María José Ñáñez 🌱");
  assert.equal(failure.reason, "no such box: [email]");
  assert.doesNotMatch(lines.join(""), /mariajose@/);
});

Deno.test("configureLog() redacts or shows email addresses as LOG_EMAILS says", async () => {
  const [redacted, plain] = await Promise.all([
    log({ LOG_FORMAT: "pretty", LOG_EMAILS: "redacted" }),
    log({ LOG_FORMAT: "json", LOG_EMAILS: "plain" }),
  ]);
  assert.match(redacted.lines[0]!, /<\[email\]>$/);
  assert.doesNotMatch(redacted.lines.join(""), /mariajose@/);
  assert.equal(JSON.parse(plain.lines[0]!).email, "mariajose@example.com");
});

Deno.test("configureLog() leaves out what is below LOG_LEVEL", async () => {
  const logged = await Promise.all(["debug", "error"].map((LOG_LEVEL) => log({ LOG_LEVEL })));
  assert.deepEqual(logged.map(({ lines }) => lines.length), [3, 1]);
});

Deno.test("configureLog() lets no message control the terminal or forge a line", async () => {
  const hostile =
    "Juan\u001b]0;título\u0007\u001b[2J\u009b31m\r\n00:00:00 INFO forjada\u2028\u202eadajrof\u2066";
  const formats = ["pretty", "json"];
  const logged = await Promise.all(formats.map((LOG_FORMAT) => log({ LOG_FORMAT }, hostile)));
  for (const { lines } of logged) {
    assert.equal(lines.length, 2, JSON.stringify(lines));
    assert.doesNotMatch(lines.join(""), /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
  }
});

Deno.test("configureLog() keeps what JSON escapes, and shortens what is too long for a line", async () => {
  const { lines } = await log({ LOG_FORMAT: "json" }, "Juan\u009b31m\u202e");
  assert.equal(JSON.parse(lines[0]!).nombre, "Juan\u009b31m\u202e");
  for (const LOG_FORMAT of ["pretty", "json"]) {
    const long = await log({ LOG_FORMAT }, "x".repeat(100_000));
    assert.ok(long.lines[0]!.length < 5_000, LOG_FORMAT);
  }
});
