/** What can stand on a broker, as data. */

/** A durable exchange. */
export interface ExchangeSpec {
  /** Its name on the broker. */
  readonly name: string;
  /** How it routes. */
  readonly type: "fanout" | "direct" | "headers";
  /** What it is declared with. @default nothing: scripts in other languages declare theirs so */
  readonly arguments?: Readonly<Record<string, string>>;
}

/** A durable queue and its arguments. */
export interface QueueSpec {
  /** Its name on the broker. */
  readonly name: string;
  /** What it is declared with: it cannot be changed afterwards. */
  readonly arguments: Readonly<Record<string, string | number | boolean>>;
}

/** A queue bound to an exchange. */
export interface BindingSpec {
  /** From where. */
  readonly exchange: string;
  /** To where. */
  readonly queue: string;
  /** By which key; empty where the exchange is a fanout. */
  readonly routingKey: string;
  /** By which headers, where the exchange routes by them. */
  readonly arguments?: Readonly<Record<string, string>>;
}

/** An exchange that is given what another one routes. */
export interface LinkSpec {
  /** From where. */
  readonly from: string;
  /** To where. */
  readonly to: string;
  /** By which key; empty where the first is a fanout. */
  readonly routingKey: string;
}

/** What stands, or shall stand, on the broker. */
export interface Topology {
  /** Declared first. */
  readonly exchanges: readonly ExchangeSpec[];
  /** Declared next. */
  readonly queues: readonly QueueSpec[];
  /** Made then, so that no message is routed to half of it. */
  readonly bindings: readonly BindingSpec[];
  /** Made last. @default none */
  readonly links?: readonly LinkSpec[];
}
