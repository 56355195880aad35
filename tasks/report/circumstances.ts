/** Where, when and with what a run was made: without it, its figures say nothing. */
import { cpus } from "node:os";
import { z } from "zod";
import type { ManagementClient } from "@ecomarket/shared/broker/management";
import { PLATFORM } from "@ecomarket/shared/process/platform";

/** What a run was made on. */
export interface Machine {
  readonly os: string;
  readonly arch: string;
  readonly cores: number;
}

/** The circumstances of a run. */
export interface Circumstances {
  readonly date: Date;
  readonly versions: { readonly rabbitmq: string; readonly deno: string };
  readonly machine: Machine;
}

const overviewSchema = z.object({ rabbitmq_version: z.string() });

/** Those of a run that uses the broker of `management`, now. */
export async function circumstances(management: ManagementClient): Promise<Circumstances> {
  const { rabbitmq_version } = await management.get("overview", overviewSchema);
  return {
    date: new Date(),
    versions: { rabbitmq: rabbitmq_version, deno: Deno.version.deno },
    machine: thisMachine(),
  };
}

/** The machine that this process runs on. */
export function thisMachine(): Machine {
  return { os: PLATFORM, arch: Deno.build.arch, cores: cpus().length };
}

/** `machine` in a sentence: `linux x86_64, 2 cores`. */
export function machineText({ os, arch, cores }: Machine): string {
  return `${os} ${arch}, ${cores} cores`;
}
