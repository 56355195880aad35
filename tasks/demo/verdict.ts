/** Whether the demo did what it claims: judged from the stores alone, event by event. */
import { join } from "node:path";
import type { UsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import type { SubscriberName } from "@ecomarket/shared/contract/topology";
import { auditEvents, type StoredHoldings } from "@ecomarket/testbed/audit/event_audit";
import { countDeadLetters, holdingsOf, SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";

/** A published event, and the subscriber that shall give it up, if any. */
export interface Expectation {
  readonly event: Pick<UsuarioCreado, "event_id" | "nombre">;
  readonly doomedAt: string | undefined;
}

/** What the stores hold, and what they should hold besides or not hold, in sentences. */
export interface Verdict {
  readonly tallies: ReadonlyMap<SubscriberName, StoredHoldings>;
  /** All archived dead letters, from whatever queue. */
  readonly deadLetters: number;
  readonly problems: readonly string[];
}

/** Reads the stores under `dataDir` and judges them. */
export function judgeStores(dataDir: string, expected: readonly Expectation[]): Verdict {
  const dataDirOf = (name: string) => join(dataDir, name);
  const tallies = new Map(SUBSCRIBERS.map((name) => [name, holdingsOf(name, dataDirOf)]));
  const deadLetters = countDeadLetters(dataDirOf);
  return { tallies, deadLetters, problems: judge(tallies, deadLetters, expected) };
}

/** Every way in which `tallies` differ from one effect, or one dead letter, for each event. */
export function judge(
  tallies: ReadonlyMap<string, StoredHoldings>,
  deadLetters: number,
  expected: readonly Expectation[],
): string[] {
  const problems: string[] = [];
  const ids = expected.map(({ event }) => event.event_id);
  for (const [subscriber, tally] of tallies) {
    const { endings, phantom } = auditEvents({ ids }, tally);
    for (const { event, doomedAt } of expected) {
      const isDoomed = doomedAt === subscriber;
      const { effects, deadLetters: dead } = endings.get(event.event_id)!;
      if (effects === (isDoomed ? 0 : 1) && dead === (isDoomed ? 1 : 0)) continue;
      problems.push(
        `${subscriber}: ${event.nombre} (${event.event_id}) has ${effects} effect(s) and ` +
          `${dead} dead letter(s), ${isDoomed ? "0 and 1 were" : "1 and 0 were"} expected`,
      );
    }
    for (const id of phantom) problems.push(`${subscriber}: ${id} was never published`);
  }
  const doomed = expected.filter(({ doomedAt }) => doomedAt !== undefined).length;
  if (deadLetters !== doomed) {
    problems.push(`${deadLetters} dead letter(s) are archived, ${doomed} was expected`);
  }
  return problems;
}
