/**
 * Run by `sandbox_test.ts` in a permission set: tries everything that a role might try, and prints
 * which of it the sandbox let pass. Denied is what throws `NotCapable`, whatever else may fail.
 */
const [folder, outside] = Deno.args;
if (!folder || !outside) throw new Error("Usage: sandbox_probe.ts <project> <file elsewhere>");

/** Never reached: https://www.rfc-editor.org/rfc/rfc5737 keeps it for documents. */
const FOREIGN_HOST = "192.0.2.1";
const DATA_FOLDERS = ["email", "loyalty", "analytics", "dead_letters", "users"];
const CREDENTIALS = `${folder}/.broker/credentials`;
const VARIABLES = [
  "AMQP_CA_FILE",
  "AMQP_URL",
  "BROKER_PASSWORD_EMAIL",
  "MANAGEMENT_URL",
  "SMTP_URL",
  "DATA_DIR",
  "DATABASE_URL",
  "HEALTH_PORT",
  "SIMULATE_FAILURES",
  "LOG_EMAILS",
  "OUTBOX_MAX_EVENTS",
  "PORT",
  "RETRY_DELAYS_MS",
  "HOME",
  "PATH",
  "AWS_SECRET_ACCESS_KEY",
];

const attempts: Record<string, () => unknown> = {
  "read a foreign file": () => Deno.readTextFileSync(outside),
  "read deno.json": () => Deno.readTextFileSync(`${folder}/deno.json`),
  "read docs/compare.json": () => Deno.readTextFileSync(`${folder}/docs/compare.json`),
  "write docs/compare.json": () => Deno.writeTextFileSync(`${folder}/docs/compare.json`, "tocado"),
  "write the justification": () =>
    Deno.writeTextFileSync(`${folder}/docs/Taller4_Justificacion.md`, "tocado"),
  "read the broker's address": () => Deno.readTextFileSync(`${folder}/.broker/broker.json`),
  "read the broker's cookie": () => Deno.readTextFileSync(`${folder}/.broker/cookie`),
  "read the CA's certificate": () => Deno.readTextFileSync(`${folder}/.broker/tls/ca.pem`),
  "read the CA's key": () => Deno.readTextFileSync(`${folder}/.broker/ca/ca.key`),
  "read the credentials of email": () => Deno.readTextFileSync(`${CREDENTIALS}/email.json`),
  "read the credentials of loyalty": () => Deno.readTextFileSync(`${CREDENTIALS}/loyalty.json`),
  "write the credentials of email": () => Deno.writeTextFileSync(`${CREDENTIALS}/email.json`, "{}"),
  "write a foreign file": () => Deno.writeTextFileSync(outside, "tocado"),
  "write deno.json": () => Deno.writeTextFileSync(`${folder}/deno.json`, "{}"),
  "write the broker's address": () => Deno.writeTextFileSync(`${folder}/.broker/broker.json`, "{}"),
  "leave its folder by a link": () => Deno.symlinkSync(outside, `${folder}/data/email/enlace`),
  "connect to the loopback": () => connectTo("127.0.0.1"),
  "connect to localhost": () => connectTo("localhost"),
  "connect to a foreign host": () => connectTo(FOREIGN_HOST),
  "fetch from a foreign host": () => fetch(`http://${FOREIGN_HOST}/`),
  "resolve a foreign name": () => Deno.resolveDns("ecomarket.example", "A"),
  "listen to everybody": () => Deno.listen({ hostname: "0.0.0.0", port: 0 }).close(),
  "run a program": () => new Deno.Command("deno", { args: ["--version"] }).outputSync(),
  "load a library": () => Deno.dlopen("libc.so.6", {}),
  "ask the system": () => Deno.hostname(),
  "read the whole environment": () => Deno.env.toObject(),
};
for (const name of DATA_FOLDERS) {
  const file = `${folder}/data/${name}/store.sqlite`;
  attempts[`read data/${name}`] = () => Deno.readTextFileSync(file);
  attempts[`write data/${name}`] = () => Deno.writeTextFileSync(file, "tocado");
}
for (const name of VARIABLES) attempts[`read $${name}`] = () => Deno.env.get(name);

async function connectTo(hostname: string): Promise<void> {
  // n.b. nobody listens on port 1: a refused connection is an allowed one.
  (await Deno.connect({ hostname, port: 1 })).close();
}

async function isAllowed(attempt: () => unknown): Promise<boolean> {
  try {
    await attempt();
    return true;
  } catch (error) {
    return !(error instanceof Deno.errors.NotCapable);
  }
}

const allowed: string[] = [];
const denied: string[] = [];
for (const [name, attempt] of Object.entries(attempts)) {
  (await isAllowed(attempt) ? allowed : denied).push(name);
}
Deno.stdout.writeSync(new TextEncoder().encode(JSON.stringify({ allowed, denied })));
