/** Every variable: its default, what it takes, and what is said of the rest. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { ConfigError } from "@ecomarket/shared/base/errors";
import {
  amqpUrls,
  databaseAddress,
  dataDir,
  DEFAULT_AMQP_URL,
  healthPort,
  inboxRetentionDays,
  logConfig,
  managementUrl,
  redactUrl,
  retryDelaysMs,
  smtpUrl,
  subscriberConfig,
  usersApiConfig,
} from "@ecomarket/shared/process/config";
import { readCredentials } from "@ecomarket/shared/process/credentials_file";
import { temporaryFolder } from "../support/temporary_folder.ts";

function environment(variables: Readonly<Record<string, string>> = {}) {
  return (name: string): string | undefined => variables[name];
}

function complaint(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    assert.ok(error instanceof ConfigError, String(error));
    assert.equal(error.exitCode, 2);
    return error.message;
  }
  throw new assert.AssertionError({ message: "it was accepted" });
}

/** An empty working directory: no private broker has left its file there. */
async function emptyWorkingDirectory(): Promise<AsyncDisposable & { readonly path: string }> {
  const before = Deno.cwd();
  const folder = await temporaryFolder();
  Deno.chdir(folder.path);
  return {
    path: folder.path,
    [Symbol.asyncDispose]: async () => {
      Deno.chdir(before);
      await folder[Symbol.asyncDispose]();
    },
  };
}

async function writeBrokerFile(directory: string, text: string): Promise<void> {
  await Deno.mkdir(join(directory, ".broker"), { recursive: true });
  await Deno.writeTextFile(join(directory, ".broker", "broker.json"), text);
}

const PRIVATE_BROKER = {
  amqpUrl: "amqp://u:p@127.0.0.1:40001",
  managementUrl: "http://u:p@127.0.0.1:40002",
};

Deno.test("amqpUrls() is the local broker with the workshop's credentials by default", async () => {
  await using _directory = await emptyWorkingDirectory();
  assert.equal(DEFAULT_AMQP_URL, "amqp://ecomarket_user:ecomarket_password@localhost:5672");
  assert.deepEqual(amqpUrls(environment()), [DEFAULT_AMQP_URL]);
  assert.deepEqual(amqpUrls(environment({ AMQP_URL: "" })), [DEFAULT_AMQP_URL]);
});

Deno.test("amqpUrls() reads a list as a cluster", () => {
  const AMQP_URL = "amqp://a:1@uno, amqps://b:2@dos:5671/tienda,";
  assert.deepEqual(amqpUrls(environment({ AMQP_URL })), [
    "amqp://a:1@uno",
    "amqps://b:2@dos:5671/tienda",
  ]);
});

Deno.test("amqpUrls() refuses what is no AMQP URL, and shows no password", () => {
  const refused = [
    "http://u:secreto@host",
    "amqp://u:secreto@host:99999",
    "amqp://u:secreto@host:0",
    "amqp://",
    "localhost",
    "amqp://u:1@uno,redis://u:secreto@dos",
    "amqp://u:secreto%@host",
    "amqp://u:1@host/%zz",
  ];
  for (const AMQP_URL of refused) {
    const text = complaint(() => amqpUrls(environment({ AMQP_URL })));
    assert.match(text, /^AMQP_URL must be like amqp:\/\/user:password@host:5672/, AMQP_URL);
    assert.doesNotMatch(text, /secreto/);
  }
  const AMQP_URL = " , ";
  assert.equal(complaint(() => amqpUrls(environment({ AMQP_URL }))), "AMQP_URL names no broker");
});

Deno.test("amqpUrls() takes the private broker that runs, unless AMQP_URL names one", async () => {
  await using directory = await emptyWorkingDirectory();
  await writeBrokerFile(directory.path, JSON.stringify(PRIVATE_BROKER));
  assert.deepEqual(amqpUrls(environment()), [PRIVATE_BROKER.amqpUrl]);
  const AMQP_URL = "amqp://u:p@otro";
  assert.deepEqual(amqpUrls(environment({ AMQP_URL })), [AMQP_URL]);
});

Deno.test("amqpUrls() goes on without a private broker's file that cannot be read", async () => {
  await using directory = await emptyWorkingDirectory();
  for (const text of ["", '{"amqpUrl":', '{"amqpUrl":7}', "null"]) {
    await writeBrokerFile(directory.path, text);
    assert.deepEqual(amqpUrls(environment()), [DEFAULT_AMQP_URL]);
  }
});

Deno.test("managementUrl() is MANAGEMENT_URL, else the private broker's, else the broker's port 15672", async () => {
  await using directory = await emptyWorkingDirectory();
  const url = (variables: Record<string, string> = {}) => managementUrl(environment(variables));
  assert.equal(url(), "http://ecomarket_user:ecomarket_password@localhost:15672");
  assert.equal(url({ AMQP_URL: "amqp://u:p%40ss@host:5671/v" }), "http://u:p%40ss@host:15672");
  assert.equal(url({ AMQP_URL: "amqp://u:p@[::1]:5671" }), "http://u:p@[::1]:15672");
  await writeBrokerFile(directory.path, JSON.stringify(PRIVATE_BROKER));
  assert.equal(url(), PRIVATE_BROKER.managementUrl);
  assert.equal(url({ AMQP_URL: "amqp://u:p@otro" }), "http://u:p@otro:15672");
  assert.equal(url({ MANAGEMENT_URL: "https://u:p@consola" }), "https://u:p@consola");
});

Deno.test("managementUrl() is the private broker's also where AMQP_URL names it, as the user of AMQP_URL", async () => {
  await using directory = await emptyWorkingDirectory();
  const url = (AMQP_URL: string) => managementUrl(environment({ AMQP_URL }));
  await writeBrokerFile(
    directory.path,
    JSON.stringify({
      amqpUrl: "amqps://u:p@localhost:5671,amqps://u:p@localhost:5674",
      managementUrl: "http://u:p@localhost:40002",
    }),
  );
  assert.equal(url("amqps://ana:x%40@127.0.0.1"), "http://ana:x%40@localhost:40002/");
  assert.equal(url("amqps://ana:x@[::1]:5674/tienda"), "http://ana:x@localhost:40002/");
  for (const other of ["amqps://ana:x@localhost:5675", "amqps://ana:x@host:5671"]) {
    assert.match(url(other), /^https:\/\/ana:x@(?:localhost|host):15671\//, other);
  }
});

Deno.test("managementUrl() refuses what is no HTTP URL, and shows no password", () => {
  for (const MANAGEMENT_URL of ["amqp://u:secreto@host", "ftp://u:secreto@host", "http://u:s%@h"]) {
    const text = complaint(() => managementUrl(environment({ MANAGEMENT_URL })));
    assert.match(text, /^MANAGEMENT_URL must be like http:\/\/user:password@host:15672/);
    assert.doesNotMatch(text, /secreto/);
  }
});

Deno.test("smtpUrl() refuses what is no mail server's, also a port that nobody listens on", () => {
  assert.equal(smtpUrl(environment()), undefined);
  const SMTP_URL = "smtps://ana:secreto@mail.example.com";
  assert.equal(smtpUrl(environment({ SMTP_URL })), SMTP_URL);
  for (const SMTP_URL of ["http://mail:25", "smtp://", "mail:25", "smtp://127.0.0.1:0"]) {
    assert.match(
      complaint(() => smtpUrl(environment({ SMTP_URL }))),
      /^SMTP_URL must be like smtp:/,
    );
  }
});

Deno.test("redactUrl() hides the password, whatever characters it has", () => {
  const passwords = ["secreto", "p@ss", "a:b:c", "s/e?c#r", "ñ🌱", "a@b@c", "%40", "'\"<>", ""];
  for (const password of passwords) {
    assert.equal(
      redactUrl(`amqp://usuario:${password}@host:5672/v`),
      "amqp://usuario:***@host:5672/v",
    );
  }
  assert.equal(redactUrl("amqp://host:5672"), "amqp://host:5672");
  assert.equal(redactUrl("amqp://usuario@host"), "amqp://usuario@host");
});

Deno.test("redactUrl() hides the password of a user whose name is an email address", () => {
  assert.doesNotMatch(redactUrl("amqp://ana@example.com:secreto@host"), /secreto/);
});

Deno.test("redactUrl() hides a password with a space in it", () => {
  assert.doesNotMatch(redactUrl("amqp://usuario:muy secreto@host"), /secreto/);
});

Deno.test("amqpUrls() shows no part of a password with a comma in it", () => {
  const AMQP_URL = "amqp://usuario:se,creto@host";
  assert.doesNotMatch(complaint(() => amqpUrls(environment({ AMQP_URL }))), /:se\b|creto/);
});

Deno.test("logConfig() shows a person all, and redacts for a collector, by default", () => {
  assert.deepEqual(logConfig(environment()), {
    format: "pretty",
    level: "info",
    redactEmails: false,
  });
  const json = { LOG_FORMAT: "json", LOG_LEVEL: "debug" };
  assert.deepEqual(logConfig(environment(json)), {
    format: "json",
    level: "debug",
    redactEmails: true,
  });
  assert.equal(logConfig(environment({ ...json, LOG_EMAILS: "plain" })).redactEmails, false);
  assert.equal(logConfig(environment({ LOG_EMAILS: "redacted" })).redactEmails, true);
});

Deno.test("logConfig() refuses a value that it does not know, by name", () => {
  for (const name of ["LOG_FORMAT", "LOG_LEVEL", "LOG_EMAILS"]) {
    const text = complaint(() => logConfig(environment({ [name]: "VERBOSO" })));
    assert.match(text, new RegExp(`^${name} .*got "VERBOSO"$`));
  }
});

Deno.test("dataDir() is a folder of one's own below DATA_DIR, absolute", () => {
  assert.equal(dataDir("email", environment()), join(Deno.cwd(), "data", "email"));
  assert.equal(dataDir("email", environment({ DATA_DIR: "/srv/datos" })), "/srv/datos/email");
  assert.equal(
    dataDir("email", environment({ DATA_DIR: "datos" })),
    join(Deno.cwd(), "datos/email"),
  );
});

Deno.test("dataDir() takes an empty DATA_DIR for one that is not set", () => {
  assert.equal(dataDir("email", environment({ DATA_DIR: "" })), join(Deno.cwd(), "data", "email"));
});

Deno.test("subscriberConfig() takes 100 at once and simulates nothing by default", () => {
  assert.deepEqual(subscriberConfig(environment()), { prefetch: 100, simulateFailures: false });
  const all = { PREFETCH: "1", SIMULATE_FAILURES: "1" };
  assert.deepEqual(subscriberConfig(environment(all)), { prefetch: 1, simulateFailures: true });
});

Deno.test("subscriberConfig() refuses a malformed value, and says what it got", () => {
  for (const text of ["0", "-1", "65536", "1.5", "1e2", "cien", " 5"]) {
    assert.equal(
      complaint(() => subscriberConfig(environment({ PREFETCH: text }))),
      `PREFETCH must be a whole number from 1 to 65535, got "${text}"`,
    );
  }
  assert.equal(
    complaint(() => subscriberConfig(environment({ SIMULATE_FAILURES: "yes" }))),
    'SIMULATE_FAILURES must be 0 or 1, got "yes"',
  );
});

Deno.test("usersApiConfig() listens on the loopback's port 8000 by default", () => {
  const byDefault = {
    host: "127.0.0.1",
    port: 8_000,
    keyLifetimeMs: 86_400_000,
    maxEvents: 10_000,
    maxAgeMs: 60_000,
  };
  assert.deepEqual(usersApiConfig(environment()), byDefault);
  const all = {
    HOST: "::1",
    PORT: "0",
    IDEMPOTENCY_KEEP_MS: "60000",
    OUTBOX_MAX_EVENTS: "5",
    OUTBOX_MAX_AGE_MS: "7",
  };
  const asked = { host: "::1", port: 0, keyLifetimeMs: 60_000, maxEvents: 5, maxAgeMs: 7 };
  assert.deepEqual(usersApiConfig(environment(all)), asked);
  const empty = Object.fromEntries(Object.keys(all).map((name) => [name, ""]));
  assert.deepEqual(usersApiConfig(environment(empty)), byDefault);
});

Deno.test("usersApiConfig() refuses a malformed value, and says what it got", () => {
  const refused = {
    PORT: "65536",
    IDEMPOTENCY_KEEP_MS: "59999",
    OUTBOX_MAX_EVENTS: "0",
    OUTBOX_MAX_AGE_MS: "1s",
  };
  for (const [name, text] of Object.entries(refused)) {
    assert.match(
      complaint(() => usersApiConfig(environment({ [name]: text }))),
      new RegExp(`^${name} must be a whole number from \\d+ to \\d+, got "${text}"$`),
    );
  }
});

Deno.test("retryDelaysMs() is 5, 30 and 120 seconds, or fast, or as asked", () => {
  const delays = (variables: Record<string, string> = {}) => retryDelaysMs(environment(variables));
  assert.deepEqual(delays(), [5_000, 30_000, 120_000]);
  assert.deepEqual(delays({ FAST_RETRY: "0" }), [5_000, 30_000, 120_000]);
  assert.deepEqual(delays({ FAST_RETRY: "1" }), [200, 400, 800]);
  assert.deepEqual(delays({ RETRY_DELAYS_MS: "50, 100" }), [50, 100]);
  assert.deepEqual(delays({ RETRY_DELAYS_MS: "7", FAST_RETRY: "1" }), [7], "the list goes first");
  assert.deepEqual(delays({ RETRY_DELAYS_MS: "86400000" }), [86_400_000]);
});

Deno.test("retryDelaysMs() refuses a malformed value, and says what it got", () => {
  for (const text of ["0", "5s", "1,,2", "-1", "1.5", "86400001", "1;2"]) {
    assert.equal(
      complaint(() => retryDelaysMs(environment({ RETRY_DELAYS_MS: text }))),
      "RETRY_DELAYS_MS must be delays in milliseconds from 1 to 86400000, such as 200,400,800, " +
        `got "${text}"`,
    );
  }
  assert.equal(
    complaint(() => retryDelaysMs(environment({ FAST_RETRY: "true" }))),
    'FAST_RETRY must be 0 or 1, got "true"',
  );
});

Deno.test("An empty variable counts as one that is not set", () => {
  const names = ["LOG_FORMAT", "LOG_LEVEL", "LOG_EMAILS", "PREFETCH", "SIMULATE_FAILURES"];
  const empty = Object.fromEntries(
    [...names, "FAST_RETRY", "RETRY_DELAYS_MS"].map((it) => [it, ""]),
  );
  assert.deepEqual(logConfig(environment(empty)), logConfig(environment()));
  assert.deepEqual(subscriberConfig(environment(empty)), subscriberConfig(environment()));
  assert.deepEqual(retryDelaysMs(environment(empty)), retryDelaysMs(environment()));
});

Deno.test("healthPort() is nothing unless HEALTH_PORT is set, and 0 is a port", () => {
  assert.equal(healthPort(environment()), undefined);
  assert.equal(healthPort(environment({ HEALTH_PORT: "" })), undefined);
  assert.equal(healthPort(environment({ HEALTH_PORT: "0" })), 0);
  assert.equal(healthPort(environment({ HEALTH_PORT: "9464" })), 9464);
  for (const HEALTH_PORT of ["-1", "65536", "any", "94.6"]) {
    assert.match(complaint(() => healthPort(environment({ HEALTH_PORT }))), /^HEALTH_PORT must be/);
  }
});

Deno.test("readCredentials() goes on as nobody else where a role's own are damaged", async () => {
  await using folder = await temporaryFolder();
  assert.equal(readCredentials("email", folder.path), undefined, "there are none");
  await Deno.mkdir(join(folder.path, "credentials"));
  await Deno.writeTextFile(join(folder.path, "credentials", "email.json"), '{"user":"a"');
  assert.throws(
    () => readCredentials("email", folder.path),
    (error) =>
      error instanceof ConfigError && /email\.json cannot be used.*--users/.test(error.message),
  );
});

Deno.test("databaseAddress() is nothing without DATABASE_URL, and reads several hosts", () => {
  assert.equal(databaseAddress(environment()), undefined);
  assert.equal(databaseAddress(environment({ DATABASE_URL: "" })), undefined);
  const url = "postgres://ana:s%40l@one:6000,two/tienda?sslmode=require";
  assert.deepEqual(databaseAddress(environment({ DATABASE_URL: url })), {
    hosts: [{ hostname: "one", port: 6000 }, { hostname: "two", port: 5432 }],
    user: "ana",
    password: "s@l",
    database: "tienda",
    sslmode: "require",
  });
});

Deno.test("databaseAddress() reads the CA that is trusted in place of the system's", async () => {
  const ca = await Deno.makeTempFile();
  await Deno.writeTextFile(ca, "PEM");
  const url = `postgres://ana:x@one/tienda?sslmode=verify-full&sslrootcert=${ca}`;
  const address = databaseAddress(environment({ DATABASE_URL: url }));
  assert.deepEqual([address?.sslmode, address?.ca], ["verify-full", "PEM"]);
  await Deno.remove(ca);
});

Deno.test("databaseAddress() says what is wrong, and not what was set", () => {
  const wrong = [
    "mysql://ana:secreto@one/db",
    "postgres://ana:secreto@one",
    "postgres://ana:secreto@:5432/db",
    "postgres://ana:secreto%@one/db",
    "postgres://ana:secreto@one/db?sslmode=prefer",
    "postgres://ana:secreto@one/db?sslrootcert=/no/existe",
    "postgres://ana:secreto@one/db?options=-c",
  ];
  for (const url of wrong) {
    assert.throws(() => databaseAddress(environment({ DATABASE_URL: url })), (error: Error) => {
      assert.ok(error instanceof ConfigError, url);
      assert.match(error.message, /DATABASE_URL/);
      assert.doesNotMatch(error.message, /secreto/);
      return true;
    });
  }
});

Deno.test("inboxRetentionDays() is for ever unless days are given", () => {
  assert.equal(inboxRetentionDays(environment()), undefined);
  assert.equal(inboxRetentionDays(environment({ INBOX_RETENTION_DAYS: "90" })), 90);
  for (const days of ["0", "-1", "1.5", "siempre"]) {
    const read = environment({ INBOX_RETENTION_DAYS: days });
    assert.throws(() => inboxRetentionDays(read), ConfigError);
  }
});
