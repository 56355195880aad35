/** Who may do what on the broker, name by name: the patterns are derived, what they let pass is literal. */
import assert from "node:assert/strict";
import {
  ARCHIVE,
  type BrokerRole,
  brokerRoles,
  brokerUser,
  MONITOR,
  type Permissions,
  PUBLISHERS,
  REPLAY,
  watchRole,
} from "@ecomarket/shared/contract/permissions";
import {
  fullTopology,
  migratingName,
  SUBSCRIBER_QUEUES,
  watchQueue,
} from "@ecomarket/shared/contract/topology";
import { ROOT } from "../support/project_files.ts";

const { exchanges, queues } = fullTopology([5_000, 30_000]);
/** Every name of the topology, the broker's own, and names that look like ours. */
const NAMES = [
  ...exchanges.map(({ name }) => name),
  ...queues.flatMap(({ name }) => [name, migratingName(name)]),
  "amq.default",
  "amq.fanout",
  "audit_queue",
  "audit_queue.retry",
  "email_queue_2",
  "email_queueXretry",
  "my.email_queue",
  "user_events.setup",
  "user_events_2",
  "dead_letters.all",
];

const slice = (queue: string) => [
  queue,
  `${queue}.migrating`,
  `${queue}.retry`,
  `${queue}.retry.30000`,
  `${queue}.retry.30000.migrating`,
  `${queue}.retry.5000`,
  `${queue}.retry.5000.migrating`,
];
const ARCHIVE_SLICE = [
  "dead_letter_queue",
  "dead_letter_queue.migrating",
  "dead_letter_queue.parked",
  "dead_letter_queue.parked.migrating",
  "dead_letter_queue.parking",
];
const EVENTS = ["purchase_events", "user_events"];

interface Reach {
  readonly configure: readonly string[];
  readonly write: readonly string[];
  readonly read: readonly string[];
}
const publisher: Reach = { configure: [], write: EVENTS, read: [] };

/** All that each role reaches of {@link NAMES}. */
const EXPECTED: Readonly<Record<string, Reach>> = {
  publisher,
  "users-api": publisher,
  email: {
    configure: slice("email_queue"),
    write: ["dead_letters", ...slice("email_queue")],
    read: [...slice("email_queue"), "user_events"],
  },
  loyalty: {
    configure: slice("loyalty_queue"),
    write: ["dead_letters", ...slice("loyalty_queue")],
    read: [...slice("loyalty_queue"), ...EVENTS],
  },
  analytics: {
    configure: slice("analytics_queue"),
    write: ["dead_letters", ...slice("analytics_queue")],
    read: [...slice("analytics_queue"), ...EVENTS],
  },
  "dead-letter": {
    configure: ARCHIVE_SLICE,
    write: ["dead_letters", ...ARCHIVE_SLICE],
    read: ["dead_letters", ...ARCHIVE_SLICE],
  },
  "dead-letters": {
    configure: [],
    write: [
      "analytics_queue.retry",
      "audit_queue.retry",
      "email_queue.retry",
      "loyalty_queue.retry",
    ],
    read: [],
  },
  // n.b. queues alone: no exchange is to be published to, and none to be bound to.
  monitor: { configure: [], write: queues.map(({ name }) => name), read: [] },
};

/** n.b. the broker's patterns are PCRE's: what stands in ours means the same in both. */
function reachOf({ permissions }: BrokerRole): Reach {
  const covered = (right: keyof Permissions) =>
    NAMES.filter((name) => new RegExp(permissions[right]).test(name)).sort();
  return { configure: covered("configure"), write: covered("write"), read: covered("read") };
}

function roleOf(name: string, further?: Readonly<Record<string, string>>): BrokerRole {
  const role = brokerRoles(further).find((each) => each.name === name);
  assert.ok(role, name);
  return role;
}

Deno.test("brokerRoles() lets each role reach what it uses, and no other name", () => {
  const sorted = ({ configure, write, read }: Reach) => ({
    configure: [...configure].sort(),
    write: [...write].sort(),
    read: [...read].sort(),
  });
  const found = brokerRoles().map((role) => [role.name, reachOf(role)] as const);
  const expected = Object.entries(EXPECTED).map(([name, reach]) => [name, sorted(reach)] as const);
  assert.deepEqual(Object.fromEntries(found), Object.fromEntries(expected));
});

Deno.test("brokerRoles() writes its patterns as the topology's names are written", () => {
  assert.deepEqual(roleOf("email").permissions, {
    configure: "^email_queue(\\..*)?$",
    write: "^(email_queue(\\..*)?|dead_letters)$",
    read: "^(email_queue(\\..*)?|user_events)$",
  });
  assert.deepEqual(roleOf("publisher").permissions, {
    configure: "^$",
    write: "^(user_events|purchase_events)$",
    read: "^$",
  });
});

Deno.test("brokerRoles() lets nobody write to the default exchange, or reach a name of the broker's", () => {
  for (const role of brokerRoles({ audit: "audit_queue" })) {
    for (const [right, pattern] of Object.entries<string>({ ...role.permissions })) {
      for (const name of ["amq.default", "amq.fanout", "amq.topic", "amq.gen-1"]) {
        assert.doesNotMatch(name, new RegExp(pattern), `${role.name} ${right}`);
      }
    }
  }
});

Deno.test("brokerRoles() lets no two roles that consume configure the same name", () => {
  const owners = [...Object.keys(SUBSCRIBER_QUEUES), ARCHIVE];
  for (const name of NAMES) {
    const found = owners.filter((owner) => reachOf(roleOf(owner)).configure.includes(name));
    assert.ok(found.length <= 1, `${name}: ${found.join(", ")}`);
  }
});

Deno.test("brokerRoles() derives a further subscriber's rights from its queue, escaped", () => {
  const { permissions } = roleOf("audit", { audit: "audit.v2" });
  assert.deepEqual(permissions, {
    configure: "^audit\\.v2(\\..*)?$",
    write: "^(audit\\.v2(\\..*)?|dead_letters)$",
    read: "^(audit\\.v2(\\..*)?|user_events|purchase_events)$",
  });
  assert.doesNotMatch("auditXv2", new RegExp(permissions.configure));
});

Deno.test("brokerRoles() tags the monitor alone, and never as an administrator", () => {
  const tagged = brokerRoles({ audit: "audit_queue" }).filter(({ tags }) => tags.length > 0);
  assert.deepEqual(tagged.map(({ name, tags }) => [name, tags]), [[MONITOR, ["monitoring"]]]);
});

Deno.test("watchRole() reaches its own queues and the events, as one more subscriber, and asks nothing else", () => {
  const role = watchRole();
  assert.deepEqual(reachOf(role), { configure: [], write: [], read: EVENTS });
  assert.match(watchQueue("1"), new RegExp(role.permissions.configure));
  assert.doesNotMatch("watch_queue_2", new RegExp(role.permissions.configure));
  assert.deepEqual(role.tags, []);
});

Deno.test("brokerUser() gives each role a user of its own, and none the development user's", () => {
  const users = brokerRoles({ user: "user_queue" }).map(({ name }) => brokerUser(name));
  assert.equal(new Set(users).size, users.length);
  assert.ok(!users.includes("ecomarket_user"));
  assert.deepEqual([...PUBLISHERS, REPLAY].map(brokerUser), [
    "ecomarket-publisher",
    "ecomarket-users-api",
    "ecomarket-dead-letters",
  ]);
});

for (const document of ["docs/reference.md", "docs/referencia.md"]) {
  Deno.test(`${document} tells of each role which exchanges of others it reaches`, async () => {
    const text = await Deno.readTextFile(`${ROOT}/${document}`);
    const shared = ["dead_letters", "purchase_events", "user_events"];
    const named = (cell = "") => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name!);
    const told = new Map<string, { write: string[]; read: string[] }>();
    const [, table = ""] = text.split(/^\| rol.*\n\| -.*$/m);
    for (const row of table.split("\n").filter((line) => line.startsWith("|"))) {
      const [, roles, , write, read] = row.split("|");
      const ofOthers = (cell?: string) =>
        named(cell).filter((name) => shared.includes(name)).sort();
      for (const name of named(roles)) {
        told.set(name, { write: ofOthers(write), read: ofOthers(read) });
      }
      if (!row.includes("`")) break;
    }
    const expected = brokerRoles().map((role) => {
      const { write, read } = reachOf(role);
      const ofOthers = (names: readonly string[]) => names.filter((name) => shared.includes(name));
      return [role.name, { write: ofOthers(write), read: ofOthers(read) }] as const;
    });
    assert.deepEqual(Object.fromEntries(told), Object.fromEntries(expected));
  });
}
