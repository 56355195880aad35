/**
 * `.broker/`: what we remember about the broker that we started, and the lock that keeps two
 * commands from starting one at the same time.
 */
import { z } from "zod";
import { BrokerSetupError, ignoreNotFound } from "@ecomarket/shared/base/errors";
import { tryLockFolder } from "@ecomarket/shared/base/folder_lock";
import { poll } from "@ecomarket/shared/base/poll";
import { brokerFile, brokerUrlsSchema } from "@ecomarket/shared/process/broker_file";

/** A broker that we started. Every process reads the two URLs of it. */
export type BrokerRecord = z.infer<typeof recordSchema>;

const recordSchema = brokerUrlsSchema.extend({
  kind: z.enum(["private", "docker"]),
  version: z.string(),
  /** For people who look: what controls the private node is `node/node.json`. */
  pid: z.number().optional(),
  ports: z.record(z.string(), z.number()).optional(),
});

/** The record in `directory`; `undefined` when there is none, or none that we can read. */
export async function readRecord(directory: string): Promise<BrokerRecord | undefined> {
  const text = await Deno.readTextFile(brokerFile(directory)).catch(ignoreNotFound);
  try {
    return text === undefined ? undefined : recordSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

/** Replaces the record whole: a reader sees the old one or the new one, never half of one. */
export async function writeRecord(directory: string, record: BrokerRecord): Promise<void> {
  const file = brokerFile(directory);
  await Deno.writeTextFile(`${file}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  await Deno.rename(`${file}.new`, file);
}

export async function removeRecord(directory: string): Promise<void> {
  await Deno.remove(brokerFile(directory)).catch(ignoreNotFound);
}

/** How long one command waits for another: longer than an installation with `apt-get` takes. */
const LOCK_TIMEOUT_MS = 15 * 60_000;

/**
 * Waits until no other command starts, stops or resets the broker of `directory`, and keeps others
 * out until disposed. The operating system frees the lock of a process that dies.
 *
 * @throws {BrokerSetupError} when the other command takes longer than any should.
 */
export async function lockBroker(
  directory: string,
  say: (line: string) => void,
  signal?: AbortSignal,
): Promise<Disposable> {
  await Deno.mkdir(directory, { recursive: true });
  const taken = tryLockFolder(directory);
  if (taken) return taken;
  say("Another command is starting or stopping the broker: waiting for it.");
  const lock = await poll(() => tryLockFolder(directory), {
    timeoutMs: LOCK_TIMEOUT_MS,
    intervalMs: 100,
    signal,
  });
  if (lock) return lock;
  throw new BrokerSetupError(
    `Another command has been starting or stopping the broker of ${directory} for ` +
      `${LOCK_TIMEOUT_MS / 60_000} minutes. See what it does, stop it, and try again.`,
  );
}
