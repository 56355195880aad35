/** What is on this machine: stores, the outbox, the sandbox. */
import { isWithinBounds } from "@ecomarket/publisher/outbox/backlog";
import type { Facts, StoreFacts } from "../facts.ts";
import type { Finding } from "../finding.ts";

/** From which size on a store is worth a warning. */
const MAX_STORE_BYTES = 1_000_000_000;

/** Each store can be written, is its owner's alone, and has a reasonable size. */
export function checkStores({ stores }: Facts): Finding[] {
  if (!stores.ok) {
    return [{
      id: "stores-unknown",
      severity: "warning",
      finding: `The stores could not be looked at: ${stores.reason}`,
      why: "whether effects can be committed is not known",
      mend: "run this as the user of the consumers; for another DATA_DIR: deno run -q -P=doctor " +
        "--allow-read --allow-write=DIR tasks/doctor/doctor.ts",
    }];
  }
  return stores.value.flatMap((store) => [...unwritable(store), ...open(store), ...large(store)]);
}

function unwritable({ name, directory, writable }: StoreFacts): Finding[] {
  if (writable.ok) return [];
  const locked = writable.reason.includes("locked");
  return [{
    id: locked ? "store-locked" : "store-unwritable",
    severity: locked ? "warning" : "broken",
    finding: `The store of ${name} cannot be written: ${writable.reason}`,
    why: "its effects wait: nothing of that queue is consumed meanwhile",
    mend: locked
      ? `end whatever holds it: fuser ${directory}/store.sqlite`
      : `see its disk and its owner: ls -l ${directory}; df ${directory}`,
  }];
}

function open({ name, openToOthers }: StoreFacts): Finding[] {
  if (openToOthers.length === 0) return [];
  return [{
    id: "store-open",
    severity: "warning",
    finding: `Others than its owner may use the store of ${name}`,
    why: "it holds names and email addresses",
    mend: `chmod go= ${openToOthers.join(" ")}`,
  }];
}

function large({ name, directory, bytes }: StoreFacts): Finding[] {
  if (bytes < MAX_STORE_BYTES) return [];
  return [{
    id: "store-large",
    severity: "warning",
    finding: `The store of ${name} has ${Math.floor(bytes / 1e6)} MB`,
    why: "it grows with every event, and a full disk stops its subscriber",
    mend: `see that its disk has room: df ${directory}`,
  }];
}

/** Events leave the outbox. */
export function checkOutbox({ outbox, outboxBounds }: Facts): Finding[] {
  if (!outbox.ok) {
    return [{
      id: "outbox-unknown",
      severity: "warning",
      finding: `The outbox could not be looked at: ${outbox.reason}`,
      why: "whether events wait in it is not known",
      mend: "see the store of users, and start its program: deno task users-api",
    }];
  }
  if (!outbox.value || isWithinBounds(outbox.value, outboxBounds)) return [];
  const { events, oldestAgeMs } = outbox.value;
  return [{
    id: "outbox-old",
    severity: "warning",
    finding: `${events} event(s) wait in the outbox, the first for ${
      Math.round(oldestAgeMs / 1_000)
    } s`,
    why: "users are registered, and no subscriber knows of them yet",
    mend: "deno task users-api",
  }];
}

/** Each role's sandbox is as wide as its code asks for. */
export function checkSandbox({ sandbox }: Facts): Finding[] {
  if (!sandbox.ok) {
    return [{
      id: "sandbox-unknown",
      severity: "note",
      finding: `The permission sets could not be compared: ${sandbox.reason}`,
      why: "the project's source is not here, or not readable",
      mend: "run this in the project's folder",
    }];
  }
  return sandbox.value.flatMap(({ set, file, missing, unused, tooWide }) => [
    ...(missing.length === 0 ? [] : [{
      id: "sandbox-narrow",
      severity: "broken" as const,
      finding: `-P=${set} withholds ${missing.join(", ")}, which ${file} reads`,
      why: "the program ends as soon as it asks",
      mend: `add it to "env" of the set ${set} in deno.json`,
    }]),
    ...(unused.length === 0 && tooWide.length === 0 ? [] : [{
      id: "sandbox-wide",
      severity: "warning" as const,
      finding: `-P=${set} gives ${[...unused, ...tooWide].join(", ")}, which ${file} does not need`,
      why: "a program that is taken over reaches more than it must",
      mend: `take it out of the set ${set} in deno.json`,
    }]),
  ]);
}
