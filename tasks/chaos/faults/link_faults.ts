/** The link between the roles and the broker: cut, stalled, slow, closed at the wrong moment. */
import { setTimeout as delay } from "node:timers/promises";
import { until } from "@ecomarket/shared/base/poll";
import type { TcpProxy } from "@ecomarket/testbed/broker/tcp_proxy";
import type { World } from "../world.ts";
import type { Fault, FaultOutcome } from "./fault.ts";

const STALL_MS = 4_000;
const SLOW_MS = 4_000;
/** About a tenth of what a run of 100 events a second needs. */
const SLOW_BYTES_PER_SECOND = 5_000;

function sum(proxies: readonly TcpProxy[], count: (proxy: TcpProxy) => number): number {
  return proxies.reduce((total, proxy) => total + count(proxy), 0);
}

function after(world: World, proof: string): FaultOutcome {
  return { proof, endedAt: performance.now(), affected: world.running };
}

// deno-lint-ignore require-await -- faults are asynchronous; this one happens at once
async function cut(world: World): Promise<FaultOutcome> {
  const standing = sum(world.proxies, ({ open }) => open);
  if (standing === 0) throw new Error("there was no connection to cut");
  world.proxies.forEach((proxy) => proxy.cut());
  return after(world, `${standing} connections cut`);
}

async function cutMidFrame(world: World): Promise<FaultOutcome> {
  const before = sum(world.proxies, ({ cuts }) => cuts);
  world.proxies.forEach((proxy) => proxy.cutInNextChunk());
  await until("a cut in the middle of a frame", () => {
    return sum(world.proxies, ({ cuts }) => cuts) > before;
  });
  return after(
    world,
    `${sum(world.proxies, ({ cuts }) => cuts) - before} connections cut half way`,
  );
}

async function stall(world: World): Promise<FaultOutcome> {
  const before = sum(world.proxies, ({ bytesHeld }) => bytesHeld);
  world.proxies.forEach((proxy) => proxy.stall());
  await delay(STALL_MS);
  const held = sum(world.proxies, ({ bytesHeld }) => bytesHeld) - before;
  world.proxies.forEach((proxy) => proxy.restore());
  if (held === 0) throw new Error("nothing was held: the link carried nothing");
  return after(world, `${held} bytes held for ${STALL_MS} ms, no FIN`);
}

async function slow(world: World): Promise<FaultOutcome> {
  const before = sum(world.proxies, ({ bytesSlowed }) => bytesSlowed);
  world.proxies.forEach((proxy) => proxy.slow(SLOW_BYTES_PER_SECOND));
  await delay(SLOW_MS);
  const slowed = sum(world.proxies, ({ bytesSlowed }) => bytesSlowed) - before;
  world.proxies.forEach((proxy) => proxy.restore());
  if (slowed === 0) throw new Error("nothing was slowed: the link carried nothing");
  return after(world, `${slowed} bytes at ${SLOW_BYTES_PER_SECOND} B/s a connection`);
}

/** Every role comes back, and loses its new connection behind the last answer of its set-up. */
async function dieAtSetup(world: World): Promise<FaultOutcome> {
  const consumers = Object.values(world.consumers).filter(({ isRunning }) => isRunning);
  const instances = consumers.flatMap(({ members }) => members);
  const planned = instances.length + Number(world.publisher.isRunning);
  const before = sum(world.proxies, ({ closesBehind }) => closesBehind);
  for (const proxy of world.proxies) {
    for (const { supervisor: { name } } of instances) {
      proxy.closeBehind("basic.consume-ok", `ecomarket ${name}`);
    }
    if (world.publisher.isRunning) proxy.closeBehind("confirm.select-ok", "ecomarket publisher");
    proxy.cut();
  }
  try {
    await until(`${planned} connections closed as their set-up ended`, () => {
      return sum(world.proxies, ({ closesBehind }) => closesBehind) - before === planned;
    });
  } finally {
    world.proxies.forEach((proxy) => proxy.restore());
  }
  return after(world, `${planned} connections closed behind the last answer of their set-up`);
}

/** Faults of the link. */
export const LINK_FAULTS: readonly Fault[] = [
  { name: "link-cut", description: "every connection is cut", nodes: 1, inject: cut },
  {
    name: "link-cut-mid-frame",
    description: "a connection is cut in the middle of a frame",
    nodes: 1,
    inject: cutMidFrame,
  },
  {
    name: "link-stall",
    description: "half-open: no bytes, no FIN",
    nodes: 1,
    inject: stall,
  },
  { name: "link-slow", description: "a slow link", nodes: 1, inject: slow },
  {
    name: "link-dies-at-setup",
    description: "every connection is cut, and the next one is closed as its set-up ends",
    nodes: 1,
    inject: dieAtSetup,
  },
];
