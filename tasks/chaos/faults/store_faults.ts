/** Stores that cannot be written: locked, read-only, full. */
import { join } from "node:path";
import process from "node:process";
import { setTimeout as delay } from "node:timers/promises";
import { until } from "@ecomarket/shared/base/poll";
import { PLATFORM } from "@ecomarket/shared/process/platform";
import { lowerAckTimeout, sufferAckTimeout } from "@ecomarket/testbed/broker/ack_timeout";
import { lockStore } from "@ecomarket/testbed/stores/store_lock";
import type { World } from "../world.ts";
import type { Fault, FaultOutcome } from "./fault.ts";

const HOLD_MS = 2_000;
/** n.b. far above the two seconds that a consumer holds what it cannot commit. */
const ACK_TIMEOUT_MS = 4_000;

/** Another process holds the store's lock. */
async function busy(world: World): Promise<FaultOutcome> {
  const complaint = storeComplaint(world, /locked|busy/);
  using _lock = lockStore(world.dataDirOf("email"));
  const message = await complaint;
  await delay(HOLD_MS);
  return { proof: `email: ${message}`, endedAt: performance.now(), affected: ["email"] };
}

/** The store is locked for longer than the broker waits for an ack. */
async function outlasting(world: World): Promise<FaultOutcome> {
  const { email } = world.consumers;
  const lowered = await lowerAckTimeout(world.broker.nodes[0]!, ACK_TIMEOUT_MS);
  try {
    await email.kill(); // Its successor's channel has the timeout.
    await world.logs.email.nextEffect();
    const paused = world.logs.email.next("a pause of email", ({ state }) => state === "paused");
    const lockedAt = performance.now();
    {
      using _lock = lockStore(world.dataDirOf("email"));
      await sufferAckTimeout(world.directUrls[0]!, 2);
      await paused;
    }
    const endedAt = performance.now();
    await world.logs.email.nextEffect();
    const heldMs = Math.round(endedAt - lockedAt);
    const proof = `email's store was locked for ${heldMs} ms, two ack timeouts of the broker`;
    return { proof, endedAt, affected: ["email"] };
  } finally {
    await lowered[Symbol.asyncDispose]();
    await email.kill();
  }
}

/** The store's file system is full. */
async function full(world: World): Promise<FaultOutcome> {
  const folder = world.dataDirOf("email");
  const filler = join(folder, "filler");
  await onTmpfs(world, async () => {
    await world.consumers.email.start();
    await world.logs.email.nextEffect();
  });
  const complaint = storeComplaint(world, /full/);
  const written = fill(filler);
  const message = await complaint;
  await delay(HOLD_MS);
  await Deno.remove(filler);
  const endedAt = performance.now();
  await world.logs.email.nextEffect();
  await offTmpfs(world);
  const proof = `${written} bytes filled the disk; email: ${message}`;
  return { proof, endedAt, affected: ["email"] };
}

/** The store's file system is read-only when its consumer starts. */
async function readOnly(world: World): Promise<FaultOutcome> {
  const { email } = world.consumers;
  const folder = world.dataDirOf("email");
  const deathsBefore = email.deaths.length;
  await onTmpfs(world, async () => {
    await mount("-o", "remount,ro", folder);
    await email.start().catch(() => {}); // It cannot: that is the point.
  });
  await until("email's refusal to start", () => email.deaths.length >= deathsBefore + 2);
  const deaths = email.deaths.slice(deathsBefore);
  await mount("-o", "remount,rw", folder);
  const endedAt = performance.now();
  await email.successorReady();
  await world.logs.email.nextEffect();
  await offTmpfs(world);
  const codes = deaths.map(({ code }) => code).join(", ");
  if (deaths.some(({ code }) => code !== 1)) {
    throw new Error(`a store that cannot be written is told with exit code 1, not ${codes}`);
  }
  return {
    proof: `${deaths.length} starts on a read-only store ended with ${codes}`,
    endedAt,
    affected: ["email"],
  };
}

function storeComplaint(world: World, words: RegExp): Promise<string> {
  return world.logs.email.next("a complaint about the store", ({ message }) => words.test(message))
    .then(({ message }) => message.replaceAll('"', ""));
}

/** Moves email's folder to a small file system of its own, then does `work`. */
async function onTmpfs(world: World, work: () => Promise<void>): Promise<void> {
  const folder = world.dataDirOf("email");
  await world.consumers.email.stop();
  await Deno.rename(folder, `${folder}.moved`);
  await Deno.mkdir(folder);
  await mount("-t", "tmpfs", "-o", "size=64m", "tmpfs", folder);
  world.defer(() => run("umount", folder).catch(() => {})); // Where the fault itself did not get so far.
  await copyFiles(`${folder}.moved`, folder);
  await Deno.remove(`${folder}.moved`, { recursive: true });
  await work();
}

/** Moves it back. */
async function offTmpfs(world: World): Promise<void> {
  const folder = world.dataDirOf("email");
  await world.consumers.email.stop();
  await Deno.mkdir(`${folder}.moved`);
  await copyFiles(folder, `${folder}.moved`);
  await run("umount", folder);
  await Deno.remove(folder);
  await Deno.rename(`${folder}.moved`, folder);
  await world.consumers.email.start();
}

async function copyFiles(from: string, to: string): Promise<void> {
  for await (const { name } of Deno.readDir(from)) {
    await Deno.copyFile(join(from, name), join(to, name));
  }
}

/** Writes until nothing more fits. @returns how much did. */
function fill(path: string): number {
  using file = Deno.openSync(path, { write: true, create: true });
  const block = new Uint8Array(4096);
  let written = 0;
  try {
    for (;;) written += file.writeSync(block);
  } catch {
    return written;
  }
}

async function mount(...args: string[]): Promise<void> {
  await run("mount", ...args);
}

async function run(program: string, ...args: string[]): Promise<void> {
  const { success, stderr } = await new Deno.Command(program, { args, stdout: "null" }).output();
  if (!success) {
    throw new Error(`${program} ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
  }
}

/** A file system of one's own takes Linux and root, and a container that lets one mount. */
function noTmpfs(): string | undefined {
  if (PLATFORM !== "linux") return "a small file system can be had on Linux only";
  if (process.getuid?.() !== 0) return "mounting a small file system takes root";
  const folder = Deno.makeTempDirSync({ prefix: "ecomarket_mount_" });
  try {
    const args = ["-t", "tmpfs", "-o", "size=1m", "tmpfs", folder];
    const options = { stdout: "null", stderr: "null" } as const;
    const { success } = new Deno.Command("mount", { args, ...options }).outputSync();
    if (!success) return "this machine does not let us mount a small file system";
    new Deno.Command("umount", { args: [folder], ...options }).outputSync();
    return undefined;
  } finally {
    Deno.removeSync(folder);
  }
}

/** Faults of a subscriber's store. */
export const STORE_FAULTS: readonly Fault[] = [
  {
    name: "store-busy",
    description: "another process locks email's store",
    nodes: 1,
    needs: "email",
    inject: busy,
  },
  {
    name: "store-outlasts-ack-timeout",
    description: "email's store is locked for longer than the broker waits for an ack",
    nodes: 1,
    needs: "email",
    inject: outlasting,
  },
  {
    name: "store-full",
    description: "the disk of email's store is full",
    nodes: 1,
    needs: "email",
    impossible: noTmpfs,
    inject: full,
  },
  {
    name: "store-read-only",
    description: "email's store is read-only",
    nodes: 1,
    needs: "email",
    impossible: noTmpfs,
    inject: readOnly,
  },
];
