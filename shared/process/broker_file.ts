/** The file in which `deno task broker start` tells other processes where its broker listens. */
import { join } from "node:path";
import { z } from "zod";
import { readSmallFileSync } from "./small_file.ts";

/** The folder of the private broker, and of the file. */
export const BROKER_DIR = ".broker";

/** The file's path, in `directory`. */
export function brokerFile(directory: string = BROKER_DIR): string {
  return join(directory, "broker.json");
}

/** What every process reads of it. `setup/broker/broker_record.ts` knows the rest. */
export interface BrokerUrls {
  /** One URL per node, with commas between them. */
  readonly amqpUrl: string;
  readonly managementUrl: string;
}

/** The same, as it is read. */
export const brokerUrlsSchema: z.ZodObject<{ amqpUrl: z.ZodString; managementUrl: z.ZodString }> = z
  .object({ amqpUrl: z.string(), managementUrl: z.string() });

/** Where the broker listens that was started from this working directory, if one was. */
export function readBrokerUrls(): BrokerUrls | undefined {
  try {
    return brokerUrlsSchema.parse(JSON.parse(readSmallFileSync(brokerFile())));
  } catch {
    // No private broker, a file half-written, or a sandbox that may not read it: the default holds.
    return undefined;
  }
}
