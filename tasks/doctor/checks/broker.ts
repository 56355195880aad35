/** The broker itself: can it be reached, which one is it, has it what it needs. */
import { AccessRefusedError, messageOf, TlsRefusedError } from "@ecomarket/shared/base/errors";
import type { Facts, ManagementFacts, NodeFacts, Usage } from "../facts.ts";
import type { Finding } from "../finding.ts";
import { SERIES, seriesOf, TABLE_DATE } from "../releases.ts";

/** AMQP answers, with these credentials. */
export function checkReachable({ amqp, amqpUrl, amqpHost, management }: Facts): Finding[] {
  if (amqp.ok) return [];
  if (amqp.error instanceof Deno.errors.NotCapable) {
    return [{
      id: "broker-outside-sandbox",
      severity: "broken",
      finding: `The sandbox of this command does not let it reach ${amqpHost}`,
      why: "nothing of the broker was looked at",
      mend: `deno run -q -P=doctor --allow-net=${amqpHost} tasks/doctor/doctor.ts`,
    }];
  }
  const refused = amqp.error instanceof AccessRefusedError;
  return [{
    id: refused ? "broker-refuses" : "broker-unreachable",
    severity: "broken",
    finding: refused
      ? `The broker at ${amqpUrl} refuses these credentials or this virtual host`
      : `No broker answers as it should at ${amqpUrl}: ${messageOf(amqp.error)}`,
    why: "nothing can be published or consumed: events wait where they are" +
      (management.ok ? "" : ". The rest of the broker was not looked at"),
    mend: refused || amqp.error instanceof TlsRefusedError
      ? "correct AMQP_URL, or unset it: deno task broker start"
      : "deno task broker start",
  }];
}

/** The management API answers: without it, half of the checks know nothing. */
export function checkManagement({ amqp, management }: Facts): Finding[] {
  if (management.ok) return checkParts(management.value);
  if (!amqp.ok) return []; // Said already.
  return [{
    id: "management-unreachable",
    severity: "warning",
    finding: `The management API could not be asked: ${management.reason}`,
    why: "arguments, bindings, alarms, users and clocks were not looked at",
    mend: "set MANAGEMENT_URL, or: rabbitmq-plugins enable rabbitmq_management",
  }];
}

/** What the API answers in general, and not to these questions. */
function checkParts({ disabledFlags, deprecatedUsed, clock }: ManagementFacts): Finding[] {
  const parts = { "feature flags": disabledFlags, "deprecated features": deprecatedUsed, clock };
  return Object.entries(parts).flatMap(([what, part]) =>
    part.ok ? [] : [{
      id: "management-partial",
      severity: "note" as const,
      finding: `The broker's ${what} could not be asked: ${part.reason}`,
      why: "the checks that need it were left out",
      mend: "give a user with the tag monitoring in MANAGEMENT_URL",
    }]
  );
}

/** The series, its support, and what changes with the ones after it. */
export function checkVersion({ amqp }: Facts): Finding[] {
  if (!amqp.ok) return [];
  const { version } = amqp.value;
  const index = SERIES.findIndex(({ name }) => name === seriesOf(version));
  const series = SERIES[index];
  if (!series) return [unknownVersion(version)];
  const ahead = SERIES.slice(index + 1).filter(({ changes }) => changes.length > 0)
    .map(({ name, changes }) => `${name}: ${changes.join("; ")}`);
  if (series.supportEnded === undefined) return [];
  return [{
    id: "version-unsupported",
    severity: "note",
    finding: `RabbitMQ ${version}: community support of ${series.name} ended on ` +
      `${series.supportEnded} (as known on ${TABLE_DATE})`,
    why: `no more patches for it. With the series after it: ${ahead.join(". ")}`,
    mend: "upgrade the broker, one series at a time: https://www.rabbitmq.com/docs/upgrade",
  }];
}

function unknownVersion(version: string): Finding {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  const tooOld = major < 3 || (major === 3 && minor < 10);
  return {
    id: tooOld ? "version-too-old" : "version-unknown",
    severity: tooOld ? "broken" : "note",
    finding: `RabbitMQ ${version} is ${
      tooOld ? "older than" : "not among"
    } those known on ${TABLE_DATE}`,
    why: tooOld
      ? "dead-lettering at least once begins with 3.10: messages can be lost"
      : "whether it is supported, and what it changes, is not known here",
    mend: tooOld ? "upgrade the broker to 3.10 or later" : "read its release notes",
  };
}

/** What the broker itself says will be taken away. */
export function checkDeprecated({ management }: Facts): Finding[] {
  if (!management.ok || !management.value.deprecatedUsed.ok) return [];
  return management.value.deprecatedUsed.value.map((name) => ({
    id: "deprecated-feature",
    severity: "warning" as const,
    finding: `The deprecated feature ${name} is in use`,
    why: "a later RabbitMQ refuses it",
    mend: "see who uses it, and change that: rabbitmqctl list_deprecated_features --used",
  }));
}

/** From which part of a limit on its use is worth a warning. */
const NEARLY = 0.8;

/** Alarms, and what comes before them. */
export function checkNodes({ management }: Facts): Finding[] {
  return management.ok ? management.value.nodes.flatMap((node) => checkNode(node)) : [];
}

function checkNode(node: NodeFacts): Finding[] {
  if (!node.running) {
    return [{
      id: "node-down",
      severity: "warning",
      finding: `The node ${node.name} does not run`,
      why: "with one more gone, its queues stop",
      mend: "deno task broker start",
    }];
  }
  return [
    ...alarm(node, "memory", node.memoryAlarm, "rabbitmqctl set_vm_memory_high_watermark 0.4"),
    ...alarm(
      node,
      "disk",
      node.diskAlarm,
      "free some disk, or: rabbitmqctl set_disk_free_limit 50MB",
    ),
    ...nearly(node, "memory", node.memoryAlarm ? undefined : node.memory),
    ...nearly(node, "file descriptors", node.fileDescriptors),
    ...lowDisk(node),
  ];
}

function alarm(node: NodeFacts, what: "memory" | "disk", isOn: boolean, mend: string): Finding[] {
  if (!isOn) return [];
  return [{
    id: `alarm-${what}`,
    severity: "broken",
    finding: `The node ${node.name} has a ${what} alarm`,
    why: "the whole cluster takes no message from any publisher until it is over",
    mend,
  }];
}

function nearly(node: NodeFacts, what: string, usage: Usage | undefined): Finding[] {
  if (!usage || usage.used < usage.limit * NEARLY) return [];
  const percent = Math.floor(usage.used / usage.limit * 100);
  return [{
    id: `low-${what.replace(" ", "-")}`,
    severity: "warning",
    finding: `The node ${node.name} uses ${percent} % of its ${what}`,
    why: what === "memory"
      ? "at its limit it blocks every publisher"
      : "at its limit it accepts no connection, and queues cannot open their files",
    mend: what === "memory"
      ? "start the consumers that are missing, or raise vm_memory_high_watermark"
      : "raise the limit of open files of the broker's process (ulimit -n, LimitNOFILE)",
  }];
}

function lowDisk({ name, diskFree, diskAlarm }: NodeFacts): Finding[] {
  if (diskAlarm || !diskFree || diskFree.bytes >= diskFree.limit * 2) return [];
  return [{
    id: "low-disk",
    severity: "warning",
    finding: `The node ${name} has ${Math.floor(diskFree.bytes / 1e6)} MB of disk left`,
    why: `at ${Math.floor(diskFree.limit / 1e6)} MB it blocks every publisher`,
    mend: "free some disk where the broker keeps its data",
  }];
}

/** From when on clocks differ too much. The retry delays are the broker's own, in its own time. */
const MAX_SKEW_MS = 5_000;

/** The broker's clock is this machine's. */
export function checkClock({ management }: Facts): Finding[] {
  const clock = clockOf(management.ok ? management.value : undefined);
  if (!clock || Math.abs(clock.aheadMs) - clock.withinMs < MAX_SKEW_MS) return [];
  const seconds = Math.round(clock.aheadMs / 1_000);
  return [{
    id: "clock-skew",
    severity: "warning",
    finding: `The broker's clock is ${Math.abs(seconds)} s ${seconds > 0 ? "ahead" : "behind"}`,
    why: "ages, histories and the times of dead letters cannot be compared",
    mend: "set both clocks by NTP: timedatectl set-ntp true",
  }];
}

function clockOf(management: ManagementFacts | undefined) {
  return management?.clock.ok ? management.clock.value : undefined;
}
