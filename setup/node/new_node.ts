/** The spec of a node that is yet to be made: whatever was not asked for is chosen. */
import { DEV_PASSWORD, DEV_USER } from "@ecomarket/shared/process/config";
import { freePorts, hasIpv6Loopback } from "../machine/free_ports.ts";
import type { NodePorts, NodeSpec, NodeTls } from "./node_files.ts";

/** What to make a node of; what is left out is chosen. */
export interface NewNode {
  readonly directory: string;
  /** @default "ecomarket_dev@localhost" */
  readonly name?: string;
  /** @default free ports */
  readonly ports?: Partial<NodePorts>;
  /** @default a random one */
  readonly cookie?: string;
  /** {@link NodeSpec.cluster}. @default none */
  readonly cluster?: readonly string[];
  /** {@link NodeSpec.tls}. @default plain AMQP */
  readonly tls?: NodeTls | undefined;
}

/** The spec of a node with the workshop's credentials. */
export async function newNodeSpec(
  { directory, name = "ecomarket_dev@localhost", ports = {}, cookie, cluster = [], tls }: NewNode,
): Promise<NodeSpec> {
  const [amqp, management, dist, epmd] = await freePorts(4);
  return {
    directory,
    name,
    ports: { amqp: amqp!, management: management!, dist: dist!, epmd: epmd!, ...ports },
    cookie: cookie ?? crypto.randomUUID(),
    user: DEV_USER,
    password: DEV_PASSWORD,
    ipv6: hasIpv6Loopback(),
    cluster,
    tls,
  };
}
