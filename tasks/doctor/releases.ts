/**
 * What is known of RabbitMQ's series, as data. Read on 2026-11-24. The policy: only the newest series
 * is given community patches
 * (https://github.com/rabbitmq/rabbitmq-server/blob/main/COMMUNITY_SUPPORT.md), so that the support of
 * one ends when the next is released. Dates: https://endoflife.date/rabbitmq and the release notes.
 */

/** When this table was made. */
export const TABLE_DATE = "2026-11-24";

/** One series. */
export interface Series {
  readonly name: string;
  /** The day on which its community support ended; `undefined` while it is supported. */
  readonly supportEnded: string | undefined;
  /** What is otherwise from this series on, as far as it concerns this project. */
  readonly changes: readonly string[];
  readonly source: string;
}

const RELEASES = "https://github.com/rabbitmq/rabbitmq-server/releases/tag/";

/** From the oldest that this project supports on. */
export const SERIES: readonly Series[] = [
  { name: "3.10", supportEnded: "2023-07-31", changes: [], source: `${RELEASES}v3.10.24` },
  {
    name: "3.11",
    supportEnded: "2023-06-01",
    changes: [],
    source: "https://endoflife.date/rabbitmq",
  },
  {
    name: "3.12",
    supportEnded: "2024-02-21",
    changes: [],
    source: "https://endoflife.date/rabbitmq",
  },
  {
    name: "3.13",
    supportEnded: "2024-09-17",
    changes: [],
    source: "https://endoflife.date/rabbitmq",
  },
  {
    name: "4.0",
    supportEnded: "2025-04-15",
    changes: [
      "a quorum queue without x-delivery-limit has a limit of 20, and drops what passes it",
      "messages are at most 16 MiB",
    ],
    source: `${RELEASES}v4.0.1`,
  },
  { name: "4.1", supportEnded: "2026-01-30", changes: [], source: `${RELEASES}v4.1.0` },
  {
    name: "4.2",
    supportEnded: "2026-04-23",
    changes: ["a message over AMQP 1.0 without a header is transient; AMQP 0-9-1 is as before"],
    source: `${RELEASES}v4.2.0`,
  },
  {
    name: "4.3",
    supportEnded: "2026-10-19",
    changes: [
      "basic.nack with requeue does not count toward the delivery limit, basic.reject does",
      "transient queues and global QoS are refused",
      "4.3.0 alone asks for configure at a passive declare; from 4.3.1 on any permission does",
    ],
    source: `${RELEASES}v4.3.1`,
  },
  {
    name: "4.4",
    supportEnded: undefined,
    changes: ["headers in which 3.13 kept AMQP 1.0 sections are no longer read"],
    source: `${RELEASES}v4.4.0`,
  },
];

/** `4.3` of `4.3.6`. */
export function seriesOf(version: string): string {
  return version.split(".").slice(0, 2).join(".");
}
