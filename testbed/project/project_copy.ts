/** The project as somebody who has just cloned it has it: in a folder of its own, on other ports. */
import { join } from "node:path";
import { freePorts } from "@ecomarket/setup/machine/free_ports";
import { startReaper } from "../broker/test_broker.ts";
import { PROJECT_ROOT } from "./project_root.ts";

/** What is made at run time, or is no part of the project. */
const LEFT_OUT = new Set([".git", ".broker", "data", "node_modules"]);
/** Where people look for a broker, its management UI, and the users API. */
const USUAL_PORTS = ["5672", "15672", "8000"];

/** A copy that goes, with the broker that was started in it, when it is disposed of. */
export interface ProjectCopy extends AsyncDisposable {
  readonly path: string;
}

/**
 * Copies the project. In code and guides of the copy, each of the usual ports is a free one instead:
 * what runs there meets nobody's broker.
 */
export async function copyProject(): Promise<ProjectCopy> {
  const path = await Deno.makeTempDir({ prefix: "ecomarket_copy_" });
  const reaper = startReaper(path);
  try {
    const ports = await freePorts(USUAL_PORTS.length);
    const portFor = new Map(USUAL_PORTS.map((usual, index) => [usual, String(ports[index])]));
    await copyFolder(PROJECT_ROOT, path, portFor);
  } catch (error) {
    await reaper.release();
    throw error;
  }
  return { path, [Symbol.asyncDispose]: () => reaper.release() };
}

async function copyFolder(
  from: string,
  to: string,
  portFor: ReadonlyMap<string, string>,
): Promise<void> {
  await Deno.mkdir(to, { recursive: true });
  for await (const { name, isDirectory } of Deno.readDir(from)) {
    if (LEFT_OUT.has(name)) continue;
    const [source, target] = [join(from, name), join(to, name)];
    if (isDirectory) await copyFolder(source, target, portFor);
    else if (/\.(?:ts|md)$/.test(name)) {
      const text = await Deno.readTextFile(source);
      // n.b. in code, 8000 may be written 8_000.
      const moved = text.replaceAll(
        /\b\d{1,2}_?\d{3}\b/g,
        (number) => portFor.get(number.replace("_", "")) ?? number,
      );
      await Deno.writeTextFile(target, moved);
    } else await Deno.copyFile(source, target);
  }
}
