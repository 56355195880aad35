/** What a run prints: a table for the terminal, one object for programs, Markdown for the record. */
import { renderTable } from "@ecomarket/shared/process/table";
import { type Circumstances, machineText } from "../report/circumstances.ts";
import { markdownTable } from "../report/markdown_table.ts";
import type { ApiAudit } from "./accounts/api_ledger.ts";
import type { SubscriberLedger } from "./accounts/ledger.ts";
import { isClean, type RunAudit, violations } from "./accounts/run_audit.ts";
import { memoryOfRoles, type MemorySample } from "./memory.ts";
import type { Replication } from "./stores/postgres_servers.ts";

/** What became of one fault. */
export interface FaultRecord {
  readonly name: string;
  /** From the start of the run. */
  readonly atMs: number;
  readonly proof: string;
  /** From the fault's end to the next committed effect of all that it affected; `null` where nothing had to recover. */
  readonly recoveryMs: number | null;
  /** Why it counts as not proven or not overcome. */
  readonly failure?: string;
}

/** A fault that this machine does not permit. */
export interface SkippedFault {
  readonly name: string;
  readonly reason: string;
}

/** What came of a run. */
export interface RunResult {
  readonly audit: RunAudit;
  readonly faults: readonly FaultRecord[];
  readonly skipped: readonly SkippedFault[];
  /** What else went wrong, such as a publisher that never finished. */
  readonly failures: readonly string[];
  /** Of every role, over time. */
  readonly memory: readonly MemorySample[];
}

/** All that is known of a run. */
export interface Run extends Circumstances, RunResult {
  readonly command: string;
  readonly seed: number;
  readonly events: number;
  readonly level: string;
  readonly nodes: number;
  /** How the standby followed, where the stores were on PostgreSQL. */
  readonly replication?: Replication;
  readonly elapsedMs: number;
}

/**
 * Whether nothing was lost or doubled, every fault was proven and overcome, and no role's memory grew
 * that lived long enough to tell.
 */
export function isOk({ audit, faults, failures, memory }: Run): boolean {
  return isClean(audit) && failures.length === 0 &&
    faults.every(({ failure }) => failure === undefined) &&
    memoryOfRoles(memory).every(({ isFlat }) => isFlat !== false);
}

/** What `--json` prints. */
export function jsonReceipt(run: Run): string {
  const { seed, events, level, nodes, elapsedMs, audit, faults, skipped, versions } = run;
  return JSON.stringify({
    ok: isOk(run),
    seed,
    events,
    level,
    nodes,
    replication: run.replication,
    elapsedMs,
    ledger: { ...audit.events.ledger, usersApi: audit.usersApi?.ledger },
    faults,
    skipped,
    violations: violations(audit),
    forgotten: audit.forgotten,
    failures: run.failures,
    memory: { roles: memoryOfRoles(run.memory), samples: run.memory },
    versions,
  });
}

/** The receipt for a terminal of 80 columns. */
export function textReceipt(run: Run): string {
  const { audit } = run;
  const recovery = recoveries(run);
  return [
    renderTable(["publisher", "events"], publisherRows(run)),
    renderTable(["subscriber", ...LEDGER_HEAD], ledgerRows(run)),
    ...(audit.usersApi ? [renderTable(["users API", "users"], apiRows(audit.usersApi))] : []),
    renderTable(MEMORY_HEAD, memoryRows(run)),
    ...(recovery ? [recovery] : []),
    ...forgotten(run),
    ...problems(run),
    verdict(run),
  ].join("\n");
}

/** The receipt for the record. */
export function markdownReceipt(run: Run): string {
  const { command, date, versions, machine, seed, level, nodes, elapsedMs, audit } = run;
  return `# Receipt of a chaos run

Made by \`${command}\` on ${date.toISOString().slice(0, 10)}, on ${
    machineText(machine)
  }: RabbitMQ ${versions.rabbitmq},
Deno ${versions.deno}. Seed ${seed}, ${nodes} node(s), publisher level ${level},
${storesText(run)}, ${(elapsedMs / 1000).toFixed(0)} s.

**${verdict(run)}**

## Ledger

${markdownTable(["publisher", "events"], publisherRows(run))}

${markdownTable(["subscriber", ...LEDGER_HEAD], ledgerRows(run))}

${audit.usersApi ? markdownTable(["users API", "users"], apiRows(audit.usersApi)) : ""}

## Memory

Resident memory of each role, in MiB, in the life of its longest-lived process: the median of that
life's second quarter and of its last one. A life under fifteen minutes is not judged.

${markdownTable(MEMORY_HEAD, memoryRows(run))}

## Faults

${
    markdownTable(
      ["at (s)", "fault", "proof", "recovery (ms)"],
      run.faults.map(({ atMs, name, proof, recoveryMs, failure }) => [
        (atMs / 1000).toFixed(1),
        name,
        failure ?? proof,
        recoveryMs ?? "–",
      ]),
    )
  }

${recoveries(run) ?? "Nothing had to recover."}
${forgotten(run).map((line) => `\n- ${line}`).join("")}
${run.skipped.map(({ name, reason }) => `\nNot done: ${name}: ${reason}.`).join("")}
${problems(run).map((line) => `\n- ${line}`).join("")}
`.replaceAll(/\n{3,}/g, "\n\n").trimEnd() + "\n";
}

const LEDGER_HEAD = ["delivered", "effects", "dup. deliv.", "dup. effects", "dead", "lost"];

function ledgerRows({ audit }: Run): (string | number)[][] {
  return Object.entries(audit.events.ledger.subscribers).map(([name, ledger]) => [
    name,
    ...columns(ledger),
  ]);
}

function columns(ledger: SubscriberLedger): number[] {
  const { delivered, effects, duplicateDeliveries, duplicateEffects, deadLettered, lost } = ledger;
  return [delivered, effects, duplicateDeliveries, duplicateEffects, deadLettered, lost];
}

function apiRows({ ledger }: ApiAudit): (string | number)[][] {
  const { answered, users, announced, waiting, effects } = ledger;
  return [
    ["answered 201", answered],
    ["registered", users],
    ["event confirmed", announced],
    ["event waiting", waiting],
    ...Object.entries(effects).map(([name, count]) => [`effects of ${name}`, count]),
  ];
}

const MEMORY_HEAD = ["memory (MiB)", "life (s)", "settled", "at the end", "peak", "flat"];

function memoryRows({ memory }: Run): (string | number)[][] {
  const mebibytes = (bytes: number) => Math.round(bytes / 2 ** 20);
  return memoryOfRoles(memory).map((
    { role, lifeMs, settledBytes, finalBytes, peakBytes, isFlat },
  ) => [
    role,
    Math.round(lifeMs / 1000),
    mebibytes(settledBytes),
    mebibytes(finalBytes),
    mebibytes(peakBytes),
    isFlat === undefined ? "–" : isFlat ? "yes" : "no",
  ]);
}

function publisherRows({ audit }: Run): (string | number)[][] {
  const { attempted, confirmed, returned, nacked, ambiguous, recovered } = audit.events.ledger;
  return Object.entries({ attempted, confirmed, returned, nacked, ambiguous, recovered });
}

function recoveries({ faults }: Run): string | undefined {
  const times = faults.flatMap(({ name, recoveryMs }) =>
    recoveryMs === null ? [] : [{ name, recoveryMs }]
  ).sort((a, b) => a.recoveryMs - b.recoveryMs);
  const worst = times.at(-1);
  if (!worst) return undefined;
  const median = times[Math.floor((times.length - 1) / 2)]!;
  return `Recovery, from a fault's end to the next effect of all that it affected:\n` +
    `median ${median.recoveryMs} ms, worst ${worst.recoveryMs} ms (${worst.name}).`;
}

function storesText({ replication }: Run): string {
  if (replication === undefined) return "one of each role, a SQLite file each";
  return `two of each consumer and two users APIs on PostgreSQL with a standby (${replication})`;
}

/** What an asynchronous standby did not have when it was promoted. */
function forgotten({ audit }: Run): string[] {
  return (audit.forgotten ?? []).map(({ subscriber = "users API", kind, ids }) =>
    `${subscriber}: ${ids.length} × ${kind}: committed by the primary that died, and not yet ` +
    `at its asynchronous standby: ${listed(ids)}`
  );
}

function listed(ids: readonly string[]): string {
  return ids.slice(0, 20).join("\n  ") + (ids.length > 20 ? "\n  …" : "");
}

function problems({ audit, faults, failures, memory }: Run): string[] {
  return [
    ...violations(audit).map(({ subscriber = "users API", kind, ids }) =>
      `✗ ${subscriber}: ${ids.length} × ${kind}: ${listed(ids)}`
    ),
    ...faults.flatMap(({ name, failure }) =>
      failure === undefined ? [] : [`✗ ${name}: ${failure}`]
    ),
    ...failures.map((failure) => `✗ ${failure}`),
    ...memoryOfRoles(memory).flatMap(({ role, isFlat }) =>
      isFlat === false ? [`✗ ${role}: its memory grew`] : []
    ),
  ];
}

function verdict(run: Run): string {
  const { ledger } = run.audit.events;
  const lost = total(ledger.subscribers, ({ lost }) => lost);
  const doubled = total(ledger.subscribers, ({ duplicateEffects }) => duplicateEffects);
  const proven = run.faults.filter(({ failure }) => failure === undefined).length;
  const known = run.audit.forgotten
    ? ` (${distinct(run.audit.forgotten)} events or users forgotten by the promotion)`
    : "";
  return `${isOk(run) ? "✓" : "✗"} lost ${lost}${known}, duplicate effects ${doubled}; ` +
    `${proven} of ${run.faults.length} faults proven and overcome.`;
}

function distinct(found: readonly { readonly ids: readonly string[] }[]): number {
  return new Set(found.flatMap(({ ids }) => ids)).size;
}

function total(
  subscribers: Readonly<Record<string, SubscriberLedger>>,
  count: (ledger: SubscriberLedger) => number,
): number {
  return Object.values(subscribers).reduce((sum, ledger) => sum + count(ledger), 0);
}
