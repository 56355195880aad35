/** Run by `log_test.ts`: logs what it is given, configured as a role is, and ends. */
import { logConfig } from "@ecomarket/shared/process/config";
import { configureLog, flushLog, roleLogger } from "@ecomarket/shared/process/log";

const [nombre, email] = Deno.args;
await configureLog(logConfig());
const log = roleLogger("email");
log.debug("Handled {event_id}", { event_id: "e-1" });
log.info("Welcome email to {nombre} <{email}>", { nombre, email });
log.error("Attempt {attempt} failed ({reason})", { attempt: 2, reason: `no such box: ${email}` });
await flushLog();
