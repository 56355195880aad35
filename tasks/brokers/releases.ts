/** The RabbitMQ versions that Debian packages, and that the project is therefore run on. */

/** A Debian release, and the RabbitMQ in it. */
export interface Release {
  /** As `debootstrap` knows it. */
  readonly suite: string;
  /** The series of its RabbitMQ when this was written; which version ran is read from the broker. */
  readonly series: string;
}

/** Oldest first. n.b. Debian is where they come from, for its packages bring the fitting Erlang along. */
export const RELEASES: readonly Release[] = [
  { suite: "bookworm", series: "3.10" },
  { suite: "trixie", series: "4.0" },
  { suite: "sid", series: "4.3" },
];
