/** Every check, in the order in which they are shown. */
import type { Facts } from "../facts.ts";
import { type Finding, worstFirst } from "../finding.ts";
import {
  checkClock,
  checkDeprecated,
  checkManagement,
  checkNodes,
  checkReachable,
  checkVersion,
} from "./broker.ts";
import { checkOutbox, checkSandbox, checkStores } from "./machine.ts";
import { checkBacklog, checkConsumers, checkParked, checkRetryConsumers } from "./queues.ts";
import {
  checkAtLeastOnce,
  checkDeadLetterBinding,
  checkMembers,
  checkPolicies,
  checkRetryQueues,
  checkTopology,
} from "./topology.ts";
import { checkUsers } from "./users.ts";

/** Pure: facts go in, findings come out. */
export const CHECKS: readonly ((facts: Facts) => Finding[])[] = [
  checkReachable,
  checkManagement,
  checkVersion,
  checkDeprecated,
  checkNodes,
  checkClock,
  checkTopology,
  checkDeadLetterBinding,
  checkAtLeastOnce,
  checkPolicies,
  checkRetryQueues,
  checkMembers,
  checkConsumers,
  checkBacklog,
  checkParked,
  checkRetryConsumers,
  checkUsers,
  checkStores,
  checkOutbox,
  checkSandbox,
];

/** What all checks find, the worst first. */
export function examine(facts: Facts): Finding[] {
  return worstFirst(CHECKS.flatMap((check) => check(facts)));
}
