/** What the ladder is asked and what it answers. */
import { BROKER_DIR } from "@ecomarket/shared/process/broker_file";
import type { NodePorts } from "../node/node_files.ts";
import type { CLUSTER_SIZE } from "../node/private_cluster.ts";

/** Where a broker comes from: the environment, we started it (two ways), or it was there. */
export type BrokerKind = "AMQP_URL" | "private" | "docker" | "local";

/** A broker that answers. */
export interface Broker {
  readonly kind: BrokerKind;
  /** The RabbitMQ version, such as `4.2.1`. */
  readonly version: string;
  /** One per node, credentials included. */
  readonly amqpUrls: readonly string[];
  /** The management API, credentials included. A broker that was there may not have it. */
  readonly managementUrl: string;
  /** Whether this call started it: then it is the caller's to stop. */
  readonly startedByUs: boolean;
  /** Stops the broker when {@link Broker.startedByUs}, data kept; else does nothing. */
  stop(): Promise<void>;
}

/** How many nodes: one, or a cluster. */
export type BrokerSize = 1 | typeof CLUSTER_SIZE;

/** The ports where people and programs look for a broker. */
export type UsualPorts = Pick<NodePorts, "amqp" | "management">;
export const USUAL_PORTS: UsualPorts = { amqp: 5672, management: 15672 };

/** How to look for a broker. */
export interface BrokerOptions {
  /** Is told, a line at a time, what is found, started and wrong. @default nobody is told */
  readonly say?: (line: string) => void;
  readonly signal?: AbortSignal | undefined;
  /** Must be that many nodes. @default what is there, and one where a broker is started */
  readonly size?: BrokerSize | undefined;
  /** Must encrypt AMQP: a private one is started. @default what is there, and plain where one is started */
  readonly tls?: boolean | undefined;
  /** Where the private broker lives. @default BROKER_DIR */
  readonly directory?: string;
  /** Where a broker that nobody configured is expected. @default USUAL_PORTS */
  readonly ports?: UsualPorts;
  /** The environment: `AMQP_URL`, `MANAGEMENT_URL`, `BROKER_DOCKER`, `BROKER_INSTALL`, the `AMQP_*_FILE`s. */
  readonly read?: (name: string) => string | undefined;
}

/** {@link BrokerOptions} with every default filled in. */
export type BrokerSettings =
  & Required<Omit<BrokerOptions, "signal" | "size" | "tls">>
  & Pick<BrokerOptions, "signal" | "size" | "tls">;

export function brokerSettings(options: BrokerOptions): BrokerSettings {
  return {
    say: () => {},
    directory: BROKER_DIR,
    ports: USUAL_PORTS,
    read: (name) => Deno.env.get(name),
    ...options,
  };
}
