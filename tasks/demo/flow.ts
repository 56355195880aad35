/** The demo's running commentary: one line for each thing that happens, when it happens. */
import type { UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import { parseFailurePlan } from "@ecomarket/shared/contract/simulated_failure";
import type { ConsumerName } from "@ecomarket/testbed/processes/roles";
import type { LogRecord } from "@ecomarket/testbed/processes/log_record";

/** Follows the events through the consumers' logs. */
export class DemoFlow {
  readonly #say: (line: string) => void;
  readonly #names = new Map<string, string>();
  readonly #retries = new Map<ConsumerName, number>();
  #startedAt: number | undefined;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  /** How often each consumer sent a message to a retry queue. */
  get retries(): ReadonlyMap<ConsumerName, number> {
    return this.#retries;
  }

  publishing(event: UsuarioCreado, fail: string | undefined): void {
    this.#names.set(event.event_id, event.nombre);
    this.#line("publish", `${event.nombre}${fail ? ` (${inWords(fail)})` : ""}`);
  }

  published(confirmed: number, total: number): void {
    this.#line("publish", `${confirmed} of ${total} confirmed by the broker`);
  }

  record(consumer: ConsumerName, { outcome, event_id, attempt, delayMs }: LogRecord): void {
    if (outcome === undefined) return;
    // n.b. the archive's ids begin with the message's.
    const name = this.#names.get(event_id?.split(" ")[0] ?? "") ?? event_id;
    switch (outcome) {
      case "handled": {
        const done = consumer === "dead-letter" ? "archived" : "done";
        const late = attempt !== undefined && attempt > 1 && consumer !== "dead-letter";
        return this.#line(consumer, `✓ ${name}: ${done}${late ? `, at attempt ${attempt}` : ""}`);
      }
      case "duplicate":
        return this.#line(consumer, `= ${name}: already done, nothing to do`);
      case "retried":
        this.#retries.set(consumer, (this.#retries.get(consumer) ?? 0) + 1);
        return this.#line(consumer, `↻ ${name}: attempt ${attempt} failed, again in ${delayMs} ms`);
      case "dead-lettered":
        return this.#line(consumer, `✗ ${name}: attempt ${attempt} failed, dead-lettered`);
    }
  }

  #line(who: string, what: string): void {
    this.#startedAt ??= performance.now();
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(2);
    this.#say(`${seconds.padStart(6)} s  ${who.padEnd(11)}  ${what}`);
  }
}

function inWords(fail: string): string {
  return [...parseFailurePlan(fail)].map(([subscriber, request]) => {
    if (request === "always") return `asks ${subscriber} to fail for ever`;
    if (request === "crash") return `asks ${subscriber} to die each time`;
    return `asks ${subscriber} to fail ${request} times`;
  }).join(", ");
}
