/** The fifth comparison: a new subscriber wants to know. What has the publisher to do with it? */
import { join } from "node:path";
import { copyProject, type ProjectCopy } from "@ecomarket/testbed/project/project_copy";
import type { World } from "../fleet/world.ts";
import type { LoadPlan } from "../plan.ts";
import type { EffortResult } from "../result.ts";
import { type ByVariant, forEachVariant, SPECS } from "../variants.ts";
import { changedLines, withEntries } from "./publisher_edit.ts";

const ONE_SIGNUP: LoadPlan = { ratePerSecond: 1, seconds: 1, rounds: 1 };

/** How many subscribers there are before. */
export const WORKSHOP_SUBSCRIBERS = 3;

/**
 * Adds a subscriber, and for each of the four does what it takes until the next signup reaches it. The
 * publisher of events runs before the subscriber is there, and is not touched.
 */
export async function measureEffort(world: World): Promise<ByVariant<EffortResult>> {
  const { fleet } = world;
  await using running = await world.startApi("events");
  await fleet.growTo(WORKSHOP_SUBSCRIBERS + 1);
  const newcomers = fleet.names.slice(WORKSHOP_SUBSCRIBERS);
  await using copy = await editedCopy(newcomers);
  return await forEachVariant(async (variant) => {
    const isEdited = SPECS[variant].listEntry !== undefined;
    await using restarted = isEdited ? await world.startApi(variant, copy.path) : undefined;
    const load = await world.load(restarted ?? running, variant, ONE_SIGNUP);
    const { lost } = await world.settle(load);
    return {
      linesChanged: copy.linesChanged[variant],
      publisherRestarted: isEdited,
      received: load.accepted.length === 1 && lost === 0,
    };
  });
}

/** A developer's copy of the project, after what the newcomers took. */
export interface EditedCopy extends ProjectCopy {
  readonly linesChanged: ByVariant<number>;
}

/** A copy in which every publisher that has a list of subscribers has `newcomers` in it. */
export async function editedCopy(newcomers: readonly string[]): Promise<EditedCopy> {
  const copy = await copyProject();
  const linesChanged = await forEachVariant(async (variant) => {
    const { script, listEntry } = SPECS[variant];
    if (!listEntry) return 0;
    const file = join(copy.path, script);
    const before = await Deno.readTextFile(file);
    const after = withEntries(before, newcomers.map(listEntry));
    await Deno.writeTextFile(file, after);
    return changedLines(before, after);
  });
  return { ...copy, linesChanged };
}
