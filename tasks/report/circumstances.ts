/** Where, when and with what a run was made: without it, its figures say nothing. */
import { cpus } from "node:os";
import { z } from "zod";
import type { ManagementClient } from "@ecomarket/shared/broker/management";

/** The circumstances of a run. */
export interface Circumstances {
  readonly date: Date;
  readonly versions: { readonly rabbitmq: string; readonly deno: string };
  /** Such as `linux x86_64, 2 cores`. */
  readonly machine: string;
}

const overviewSchema = z.object({ rabbitmq_version: z.string() });

/** Those of a run that uses the broker of `management`, now. */
export async function circumstances(management: ManagementClient): Promise<Circumstances> {
  const { rabbitmq_version } = await management.get("overview", overviewSchema);
  return {
    date: new Date(),
    versions: { rabbitmq: rabbitmq_version, deno: Deno.version.deno },
    machine: `${Deno.build.os} ${Deno.build.arch}, ${cpus().length} cores`,
  };
}
