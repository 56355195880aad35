/** The fifth comparison: a new subscriber wants to know. What has the publisher to do with it? */
import type { World } from "../fleet/world.ts";
import type { LoadPlan } from "../plan.ts";
import type { EffortResult } from "../result.ts";
import { type ByVariant, forEachVariant, SPECS, type Variant, VARIANTS } from "../variants.ts";
import { ProjectCopy } from "./edited_project.ts";
import { withEntries } from "./publisher_edit.ts";

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
  const { copy, linesChanged } = await editedCopy(world, newcomers);
  return await forEachVariant(async (variant) => {
    const isEdited = SPECS[variant].listEntry !== undefined;
    await using restarted = isEdited ? await world.startApi(variant, copy.root) : undefined;
    const load = await world.load(restarted ?? running, variant, ONE_SIGNUP);
    const { lost } = await world.settle(load);
    return {
      linesChanged: linesChanged[variant],
      publisherRestarted: isEdited,
      received: load.accepted.length === 1 && lost === 0,
    };
  });
}

/** A copy of the project in which every publisher that has a list of subscribers has these in it. */
export async function editedCopy(
  world: World,
  newcomers: readonly string[],
): Promise<{ copy: ProjectCopy; linesChanged: ByVariant<number> }> {
  const copy = await ProjectCopy.make(await world.newFolder("copy"));
  const linesChanged: Partial<Record<Variant, number>> = {};
  for (const variant of VARIANTS) {
    const { script, listEntry } = SPECS[variant];
    linesChanged[variant] = listEntry
      ? await copy.edit(script, (source) => withEntries(source, newcomers.map(listEntry)))
      : 0;
  }
  return { copy, linesChanged: linesChanged as ByVariant<number> };
}
