/** Every fault that a run can have. */
import { UsageError } from "@ecomarket/shared/base/errors";
import { API_FAULTS } from "./api_faults.ts";
import { BROKER_FAULTS } from "./broker_faults.ts";
import { CLUSTER_FAULTS } from "./cluster_faults.ts";
import { DATABASE_FAULTS } from "./database_faults.ts";
import type { Fault } from "./fault.ts";
import { LINK_FAULTS } from "./link_faults.ts";
import { MESSAGE_FAULTS } from "./message_faults.ts";
import { PROCESS_FAULTS, SUBSCRIBER_DOWN } from "./process_faults.ts";
import { STORE_FAULTS } from "./store_faults.ts";
import type { StoreKind } from "../stores/run_stores.ts";

const SINGLE_NODE_FAULTS: readonly Fault[] = [
  ...PROCESS_FAULTS,
  ...LINK_FAULTS,
  ...BROKER_FAULTS,
  ...STORE_FAULTS,
  ...DATABASE_FAULTS,
  ...MESSAGE_FAULTS,
  ...API_FAULTS,
  SUBSCRIBER_DOWN,
];

/** The faults of a run on a broker of so many nodes, with such stores. */
export function faultsFor(nodes: 1 | 3, kind: StoreKind): readonly Fault[] {
  const faults = nodes === 1 ? SINGLE_NODE_FAULTS : CLUSTER_FAULTS;
  return faults.filter(({ store }) => store === undefined || store === kind);
}

/**
 * The faults named in `text`, a list with commas; all of them where there is none.
 *
 * @throws {UsageError} for a name that is not there.
 */
export function selectFaults(
  nodes: 1 | 3,
  kind: StoreKind,
  text: string | undefined,
): readonly Fault[] {
  const faults = faultsFor(nodes, kind);
  if (text === undefined) return faults;
  return text.split(",").map((name) => name.trim()).filter((name) => name !== "").map((name) => {
    const fault = faults.find((candidate) => candidate.name === name);
    if (fault) return fault;
    const known = faults.map((candidate) => candidate.name).join(", ");
    throw new UsageError(
      `There is no fault "${name}" with ${nodes} node(s) and ${kind}. There are: ${known}`,
    );
  });
}
