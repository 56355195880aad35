/** What the doctor knows when it begins to judge. A source that failed is a fact, too. */
import type { Backlog, BacklogBounds } from "@ecomarket/publisher/outbox/backlog";
import type {
  ClockSkew,
  StandingConsumer,
  StandingTopology,
} from "@ecomarket/shared/broker/management";
import type { QueueStatus } from "@ecomarket/shared/broker/queue_status";
import type { Looked } from "./look.ts";

/** What the broker says over AMQP, as any client may ask. */
export interface AmqpFacts {
  readonly version: string;
  /** Exact at the moment of the question; `null` is a queue that does not exist. */
  readonly queues: Readonly<Record<string, QueueStatus>>;
}

/** One node of the broker. */
export interface NodeFacts {
  readonly name: string;
  readonly running: boolean;
  readonly memoryAlarm: boolean;
  readonly diskAlarm: boolean;
  readonly memory: Usage | undefined;
  readonly diskFree: { readonly bytes: number; readonly limit: number } | undefined;
  readonly fileDescriptors: Usage | undefined;
}

/** How much of a limit is used. */
export interface Usage {
  readonly used: number;
  readonly limit: number;
}

/** A queue as the management API knows it: what AMQP does not tell. */
export interface QueueFacts {
  readonly name: string;
  readonly type: string;
  /** Of a quorum queue: the nodes that hold it, and those of them that take part now. */
  readonly members: readonly string[];
  readonly online: readonly string[];
  /** The policies that hold for it, as one. */
  readonly policy: Readonly<Record<string, unknown>>;
  /** Seconds since 1970; most queues do not tell it. */
  readonly headTimestamp: number | undefined;
}

/** A user of the broker. */
export interface UserFacts {
  readonly name: string;
  /** In the virtual host that is looked at; `undefined` is none at all. */
  readonly permission:
    | { readonly configure: string; readonly write: string; readonly read: string }
    | undefined;
}

/** What the management API says. Parts that need more rights fail on their own. */
export interface ManagementFacts {
  readonly topology: StandingTopology;
  readonly queues: readonly QueueFacts[];
  readonly consumers: readonly StandingConsumer[];
  readonly nodes: readonly NodeFacts[];
  readonly users: Looked<readonly UserFacts[]>;
  readonly disabledFlags: Looked<readonly string[]>;
  readonly deprecatedUsed: Looked<readonly string[]>;
  readonly clock: Looked<ClockSkew | undefined>;
}

/** A store's folder. */
export interface StoreFacts {
  readonly name: string;
  readonly directory: string;
  /** Database and write-ahead log. */
  readonly bytes: number;
  /** The paths that others than their owner may use. */
  readonly openToOthers: readonly string[];
  readonly writable: Looked<void>;
}

/** A permission set, beside what the program that runs in it asks for. */
export interface SandboxFacts {
  readonly set: string;
  readonly file: string;
  /** Variables that the program reads and the set withholds. */
  readonly missing: readonly string[];
  /** Variables that the set gives and the program never reads. */
  readonly unused: readonly string[];
  /** What is wider than any role needs, such as `--allow-run`. */
  readonly tooWide: readonly string[];
}

/** All of it. */
export interface Facts {
  readonly now: Date;
  /** Without its password. */
  readonly amqpUrl: string;
  readonly amqpHost: string;
  readonly vhost: string;
  readonly delaysMs: readonly number[];
  readonly amqp: Looked<AmqpFacts>;
  readonly management: Looked<ManagementFacts>;
  readonly stores: Looked<readonly StoreFacts[]>;
  /** `undefined` where there is no outbox yet. */
  readonly outbox: Looked<Backlog | undefined>;
  readonly outboxBounds: BacklogBounds;
  readonly sandbox: Looked<readonly SandboxFacts[]>;
}
