/** A `subscribers/timed_subscriber.ts` as a process, and what it has noted. */
import { join } from "node:path";
import { z } from "zod";
import { SMALL_HEAP } from "@ecomarket/testbed/processes/roles";
import type { Place, World } from "../world.ts";
import { CONSUMES } from "./roles.ts";
import { QuietProcess } from "./quiet_process.ts";

/** How a timed subscriber is written. */
export type TimedKind = "loop" | "by-hand";

const timesSchema = z.array(z.tuple([z.string(), z.number()]));

/** A running one. */
export class TimedProcess implements AsyncDisposable {
  readonly process: QuietProcess;
  readonly #folder: string;

  private constructor(process: QuietProcess, folder: string) {
    this.process = process;
    this.#folder = folder;
  }

  /** Starts it; it consumes when this resolves. */
  static async start(
    world: World,
    place: Place,
    kind: TimedKind,
    queue: string,
  ): Promise<TimedProcess> {
    const dataDir = await world.newFolder("timed");
    const folder = join(dataDir, "bench");
    await Deno.mkdir(folder);
    const process = new QuietProcess({
      name: `${kind} on ${queue}`,
      script: "tasks/bench/subscribers/timed_subscriber.ts",
      permissionSet: "bench-subscriber",
      folder,
      args: [kind, queue],
      ...(kind === "loop" ? { v8Flags: SMALL_HEAP } : {}),
      env: { AMQP_URL: place.amqpUrl, DATA_DIR: dataDir },
    });
    const timed = new TimedProcess(process, folder);
    try {
      await process.says(CONSUMES);
      return timed;
    } catch (error) {
      await process[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Ends it, and tells when it had committed which event, in milliseconds since 1970. */
  async times(): Promise<ReadonlyMap<string, number>> {
    await this.process[Symbol.asyncDispose]();
    const text = await Deno.readTextFile(join(this.#folder, "times.json"));
    return new Map(timesSchema.parse(JSON.parse(text)));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.process[Symbol.asyncDispose]();
  }
}
