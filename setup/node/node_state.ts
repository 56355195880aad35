/** `node.json`: what a node's folder tells other processes about the node. */
import { z } from "zod";
import { ignoreNotFound } from "@ecomarket/shared/base/errors";
import { nodePaths, type NodeSpec } from "./node_files.ts";

/** A node, and the process that it last ran as. */
export interface NodeState {
  readonly spec: NodeSpec;
  readonly pid?: number | undefined;
}

const port = z.number().int().min(1).max(65_535);
const stateSchema = z.object({
  spec: z.object({
    directory: z.string(),
    name: z.string(),
    ports: z.object({ amqp: port, management: port, dist: port, epmd: port }),
    cookie: z.string(),
    user: z.string(),
    password: z.string(),
    ipv6: z.boolean(),
    cluster: z.array(z.string()).default([]),
    tls: z.object({ ca: z.string(), certificate: z.string(), key: z.string() }).optional(),
  }),
  pid: z.number().int().positive().optional(),
});

/**
 * The state of the node whose folder is `directory`; `undefined` when there was never one.
 *
 * @throws when the file is not what {@link writeNodeState} writes.
 */
export async function readNodeState(directory: string): Promise<NodeState | undefined> {
  const text = await Deno.readTextFile(nodePaths(directory).stateFile).catch(ignoreNotFound);
  return text === undefined ? undefined : stateSchema.parse(JSON.parse(text));
}

/** Replaces the state whole: it holds the cookie, so it is for this user's eyes. */
export async function writeNodeState(state: NodeState): Promise<void> {
  const { stateFile } = nodePaths(state.spec.directory);
  await Deno.writeTextFile(`${stateFile}.new`, `${JSON.stringify(state, null, 2)}\n`, {
    mode: 0o600,
  });
  await Deno.rename(`${stateFile}.new`, stateFile);
}
