/** The email subscriber against a real mail server: what arrives there, and what a refusal leads to. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { encode } from "@ecomarket/shared/contract/catalogue";
import { createUsuarioCreado, type UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { CONSUMERS } from "@ecomarket/testbed/processes/roles";
import type { LogRecord } from "@ecomarket/testbed/processes/log_record";
import { emailConsumer } from "../../consumers/email.ts";
import type { Mailer } from "../../consumers/mailer.ts";
import { smtpMailer } from "../../consumers/smtp_mailer.ts";
import { runDeno } from "../../testbed/project/run_deno.ts";
import { Bench } from "../support/bench.ts";
import { brokerOfFile } from "../support/broker_of_file.ts";
import { eventually } from "../support/eventually.ts";
import { startConsumer } from "../support/roles.ts";
import { startSmtpServer } from "../support/smtp_server.ts";

const broker = brokerOfFile();

const MARIA = { user_id: "u-1", nombre: "María José Ñáñez 🌱", email: "mariajose@example.com" };

function publish(bench: Bench, changes: Partial<UsuarioCreado> = {}): UsuarioCreado {
  const event = { ...createUsuarioCreado(MARIA), ...changes };
  const { content, options } = encode(event);
  bench.publishRaw(content.toString(), options);
  return event;
}

/** The rows of `sent_emails`, as far as they are asked for. */
function sentEmails(bench: Bench): readonly Record<string, unknown>[] {
  using db = new DatabaseSync(join(bench.directory, "email", "store.sqlite"), { readOnly: true });
  const sql = "SELECT event_id, message_id, recipient, transport FROM sent_emails ORDER BY id";
  return db.prepare(sql).all().map((row) => ({ ...row }));
}

/** Counts how often `mailer` is asked to send. */
function counting(mailer: Mailer): Mailer & { readonly tries: () => number } {
  let tries = 0;
  return {
    transport: mailer.transport,
    tries: () => tries,
    send(email, signal) {
      tries++;
      return mailer.send(email, signal);
    },
  };
}

Deno.test("smtpMailer() sends a welcome email that any client can read", async () => {
  await using bench = await Bench.open(broker);
  await using server = await startSmtpServer();
  await using _running = bench.run(emailConsumer(smtpMailer(`smtp://127.0.0.1:${server.port}`)));
  const { event_id } = publish(bench);
  await eventually(() => assert.equal(sentEmails(bench).length, 1));
  const [email, ...others] = server.received;
  assert.ok(email);
  assert.deepEqual(others, []);
  assert.deepEqual(email.recipients, ["mariajose@example.com"]);
  assert.equal(email.from, "bienvenida@ecomarket.example");
  assert.equal(email.clientName, "ecomarket.example", "the machine's own name stays at home");
  assert.equal(email.headers.get("message-id"), `<${event_id}@ecomarket.example>`);
  assert.equal(email.headers.get("from"), "EcoMarket <bienvenida@ecomarket.example>");
  assert.equal(email.headers.get("to"), "María José Ñáñez 🌱 <mariajose@example.com>");
  assert.equal(
    email.headers.get("subject"),
    "¡Te damos la bienvenida a EcoMarket, María José Ñáñez 🌱!",
  );
  assert.match(email.text, /^Hola, María José Ñáñez 🌱:\r\n\r\nTu cuenta ya está lista\. ¡Gracias/);
  assert.deepEqual(sentEmails(bench), [{
    event_id,
    message_id: `<${event_id}@ecomarket.example>`,
    recipient: "mariajose@example.com",
    transport: "smtp",
  }]);
});

Deno.test("smtpMailer() lets no nombre and no event_id add a header or a recipient", async () => {
  await using bench = await Bench.open(broker);
  await using server = await startSmtpServer();
  await using _running = bench.run(emailConsumer(smtpMailer(`smtp://127.0.0.1:${server.port}`)));
  const nombre = 'Juan" <otro@example.com>, Bcc: tercero@example.com\u2028Bcc: cuarto@example.com';
  publish(bench, { nombre, event_id: 'e-1>\u2028Bcc: "ñ" <quinto@example.com>' });
  const [email] = await eventually(() => {
    assert.equal(server.received.length, 1);
    return server.received;
  });
  assert.deepEqual(email?.recipients, ["mariajose@example.com"]);
  assert.deepEqual([...email.headers.keys()].sort(), [
    "content-transfer-encoding",
    "content-type",
    "date",
    "from",
    "message-id",
    "mime-version",
    "subject",
    "to",
  ]);
  assert.match(email.headers.get("message-id") ?? "", /^<[^<>\s]+@ecomarket\.example>$/);
  assert.match(email.headers.get("to") ?? "", / <mariajose@example\.com>$/);
});

Deno.test("smtpMailer() never tries again what the server refuses for good (5xx)", async () => {
  await using bench = await Bench.open(broker);
  const refusal = { code: 550, text: "No such user here" };
  await using server = await startSmtpServer({ refuse: () => refusal });
  const mailer = counting(smtpMailer(`smtp://127.0.0.1:${server.port}`));
  await using _running = bench.run(emailConsumer(mailer));
  publish(bench);
  await eventually(async () => assert.equal(await bench.depth("dead_letter_queue"), 1));
  const { properties: { headers } } = await bench.only("dead_letter_queue");
  assert.equal(headers?.["x-failure-reason"], "permanent-error");
  assert.match(
    headers?.["x-failure-message"],
    /^the mail server did not take the email: .*550 No such user here/,
  );
  assert.equal(mailer.tries(), 1);
  assert.deepEqual(sentEmails(bench), []);
});

Deno.test("smtpMailer() tries again what the server cannot take now (4xx)", async () => {
  await using bench = await Bench.open(broker);
  let refusals = 0;
  const busy = { code: 451, text: "Try again later" };
  await using server = await startSmtpServer({ refuse: () => ++refusals <= 2 ? busy : undefined });
  const mailer = counting(smtpMailer(`smtp://127.0.0.1:${server.port}`));
  await using _running = bench.run(emailConsumer(mailer));
  publish(bench);
  await eventually(() => assert.equal(sentEmails(bench).length, 1));
  assert.equal(mailer.tries(), 3);
  assert.equal(server.received.length, 1);
  assert.equal(await bench.depth("dead_letter_queue"), 0);
});

for (const host of ["127.0.0.1", "localhost"]) {
  Deno.test(`consumers/email.ts sends over SMTP to ${host} in its sandbox, and asks for nothing more`, async () => {
    await using bench = await Bench.open(broker);
    await using server = await startSmtpServer();
    const env = { SMTP_URL: `smtp://${host}:${server.port}` };
    const reasons: string[] = [];
    const onRecord = ({ message }: LogRecord) => void reasons.push(message);
    await using process = await startConsumer(bench, CONSUMERS.email, { env, onRecord });
    const { event_id } = publish(bench);
    await eventually(() => assert.equal(sentEmails(bench).length, 1, reasons.join("\n")));
    assert.equal(sentEmails(bench)[0]?.transport, "smtp");
    assert.equal(server.received[0]?.headers.get("message-id"), `<${event_id}@ecomarket.example>`);
    const { code } = await process.stop();
    assert.equal(code, 0);
  });
}

Deno.test("consumers/email.ts ends with 2 for an SMTP_URL that is none, and shows no password", async () => {
  for (const SMTP_URL of ["secreto", "http://ana:secreto@127.0.0.1:25"]) {
    const { code, stderr } = await runDeno(["run", "-q", "-P=email", "consumers/email.ts"], {
      SMTP_URL,
    });
    assert.equal(code, 2, stderr);
    assert.equal(
      stderr,
      "error: SMTP_URL must be like smtp://user:password@127.0.0.1:2525\n",
    );
  }
});
