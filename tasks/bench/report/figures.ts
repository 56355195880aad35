/** What is kept of a run: small enough to be committed, and all that the report and its chart are made of. */
import type { Circumstances } from "../../report/circumstances.ts";
import type { BacklogResult } from "../measurements/backlog.ts";
import { SAME_GUARANTEES, type SenderName } from "../measurements/publish.ts";
import type { Measured } from "../result.ts";
import { ratioOf, type Spread, spreadOf } from "../spread.ts";

/** How a run was made. */
export interface Origin extends Omit<Circumstances, "date"> {
  readonly command: string;
  /** `2026-11-24` */
  readonly date: string;
  readonly runs: number;
  readonly loadBefore: number;
  readonly elapsedSeconds: number;
}

/** One line of a table: what was measured, and its turns. */
export interface Row {
  readonly what: string;
  readonly spread: Spread;
}

/** One table. */
export interface Table {
  readonly name: string;
  readonly unit: string;
  readonly rows: readonly Row[];
}

/** What the targets are about: a key is absent where its measurement was not made. */
export interface Keyed {
  readonly ratios: Readonly<Record<string, number>>;
  readonly figures: Readonly<Record<string, number>>;
}

/** All of it. */
export interface Figures extends Origin, Keyed {
  readonly tables: readonly Table[];
}

/** The window whose figures are quoted. */
const QUOTED_WINDOW = 256;
/** The rate whose latency is quoted. */
const QUOTED_RATE = 500;

/** Who publishes, in words. */
export const SENDER_TITLES: Readonly<Record<SenderName, string>> = {
  ours: "RobustPublisher",
  amqplib: "amqplib by hand",
  connectionManager: "amqp-connection-manager",
  rabbitmqClient: "rabbitmq-client",
  rascal: "rascal",
};

/** The figures of a run. */
export function figuresOf(measured: Measured, origin: Origin): Figures {
  return { ...origin, ...keyed(measured), tables: tables(measured) };
}

function keyed(
  { publish, consume, effects, endToEnd, latency, outbox, ...costs }: Measured,
): Keyed {
  const { cost, smallBacklog, largeBacklog } = costs;
  const quoted = publish?.byWindow.find(({ window }) => window === QUOTED_WINDOW)?.perSecond;
  const best = quoted &&
    SAME_GUARANTEES.toSorted((a, b) => spreadOf(quoted[b]).median - spreadOf(quoted[a]).median)[0]!;
  const at500 = latency?.find(({ ratePerSecond }) => ratePerSecond === QUOTED_RATE);
  const resident = largeBacklog?.residentMiB;
  return {
    ratios: defined({
      publishVsBestPeer: quoted && ratioOf(quoted.ours, quoted[best!]),
      publishVsAmqplib: quoted && ratioOf(quoted.ours, quoted.amqplib),
      publishVsWorkshop: quoted && publish?.workshop && ratioOf(quoted.ours, publish.workshop),
      consumeVsAmqplib: consume && ratioOf(consume.loop, consume.amqplib),
      effectsVsTransactionPerEvent: effects && ratioOf(effects.loop, effects.transactionPerEvent),
      effectsVsHandWrittenGroups: effects && ratioOf(effects.loop, effects.handWrittenGroups),
      endToEndVsBefore: endToEnd?.before && ratioOf(endToEnd.now, endToEnd.before),
      latencyP99VsAmqplib: at500 &&
        ratioOf(at500.ours.map(({ p99 }) => p99), at500.amqplib.map(({ p99 }) => p99)),
      outboxCost: outbox &&
        ratioOf(
          outbox.withOutbox.map(({ requestsPerSecond }) => requestsPerSecond),
          outbox.usersOnly.map(({ requestsPerSecond }) => requestsPerSecond),
        ),
      backlogGrowth: smallBacklog && largeBacklog &&
        spreadOf(smallBacklog.perSecond).median / spreadOf(largeBacklog.perSecond).median,
      residentGrowth: resident && resident.at(-1)! / resident[1]!,
    }),
    figures: defined({
      startToFirstDeliveryMs: cost && spreadOf(cost.startToFirstDeliveryMs).median,
      idleMiB: cost?.idleMiB,
      residentMiB: resident && Math.max(...resident),
      cpuSecondsPer100k: largeBacklog?.cpuSecondsPer100k,
      toThirdEffectP50Ms: outbox?.toThirdEffectMs.p50,
      toThirdEffectP99Ms: outbox?.toThirdEffectMs.p99,
    }),
  };
}

function defined(values: Readonly<Record<string, number | undefined>>): Record<string, number> {
  return Object.fromEntries(
    Object.entries(values).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, round(value)]]
    ),
  );
}

/** To three digits: more says nothing. */
function round(value: number): number {
  return Number(value.toPrecision(3));
}

function tables(measured: Measured): Table[] {
  const { publish, consume, effects, endToEnd, latency, outbox, growth } = measured;
  const { smallBacklog, largeBacklog } = measured;
  const found: Table[] = [];
  const add = (
    name: string,
    unit: string,
    rows: readonly (readonly [string, readonly number[]])[],
  ) => found.push({ name, unit, rows: rows.map(([what, turns]) => row(what, turns)) });
  for (const { window, perSecond } of publish?.byWindow ?? []) {
    const names = Object.keys(perSecond) as SenderName[];
    add(
      `Confirmed publishing, ${window} under way`,
      "events/s",
      names.map((name) => [SENDER_TITLES[name], perSecond[name]]),
    );
  }
  if (publish?.workshop) {
    add("The workshop's publisher", "events/s", [["a connection for each", publish.workshop]]);
  }
  if (consume) {
    add("Consuming, acks alone", "events/s", [
      ["the loop, no store", consume.loop],
      ["amqplib by hand", consume.amqplib],
    ]);
  }
  if (effects) {
    add("Effects exactly once, in SQLite", "effects/s", [
      ["the loop, inbox and effect", effects.loop],
      ["groups by hand", effects.handWrittenGroups],
      ["a transaction for each event", effects.transactionPerEvent],
    ]);
  }
  if (endToEnd) {
    add("From `publish` to three effects, whole processes", "effects/s", [
      ["this source", endToEnd.now],
      ...(endToEnd.before ? [["before the tuning", endToEnd.before] as const] : []),
    ]);
  }
  for (const { ratePerSecond, ours, amqplib } of latency ?? []) {
    const of = (who: string, turns: typeof ours) =>
      (["p50", "p99", "p999"] as const).map((name) =>
        [`${who}, ${name === "p999" ? "p99.9" : name}`, turns.map((turn) => turn[name])] as const
      );
    add(`Latency to the third effect at ${ratePerSecond} events/s`, "ms", [
      ...of("ours", ours),
      ...of("amqplib by hand", amqplib),
    ]);
  }
  if (outbox) {
    const rate = (turns: typeof outbox.usersOnly) => turns.map((turn) => turn.requestsPerSecond);
    const p99 = (turns: typeof outbox.usersOnly) => turns.map(({ latencyMs }) => latencyMs.p99);
    add("The users API", "requests/s", [
      ["with its outbox", rate(outbox.withOutbox)],
      ["writing its user alone", rate(outbox.usersOnly)],
    ]);
    add("The users API, p99 of its answers", "ms", [
      ["with its outbox", p99(outbox.withOutbox)],
      ["writing its user alone", p99(outbox.usersOnly)],
    ]);
  }
  const stepRows = (steps: NonNullable<typeof growth>["subscribers"], noun: string) =>
    steps.map(({ of, perSecond }) => [`${of} ${noun}`, [perSecond]] as const);
  if (growth) {
    add("Confirmed publishing, by queues", "events/s", stepRows(growth.subscribers, "queues"));
    add("Consuming, by size of the event", "events/s", stepRows(growth.payloadBytes, "bytes"));
    add(
      "Effects, by consumers of one queue",
      "effects/s",
      stepRows(growth.competitors, "processes"),
    );
  }
  const backlogs = [smallBacklog, largeBacklog].filter((one) => one !== undefined);
  if (backlogs.length > 0) {
    add("A backlog drained by a real consumer", "effects/s", backlogs.map(drained));
  }
  return found;
}

function drained({ events, perSecond }: BacklogResult): readonly [string, readonly number[]] {
  return [`${events} events, by tenths`, perSecond];
}

function row(what: string, turns: readonly number[]): Row {
  const { median, min, max } = spreadOf(turns);
  return { what, spread: { median: round(median), min: round(min), max: round(max) } };
}
