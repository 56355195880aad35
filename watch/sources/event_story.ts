/** The whole story of one event: what was seen of it, and what only the stores and the archive tell. */
import type { SubscriberName } from "@ecomarket/shared/contract/topology";
import { type DataDirOf, SUBSCRIBERS } from "@ecomarket/testbed/stores/effects";
import type { Ledger } from "../ledger/ledger.ts";
import type { Stories } from "../ledger/stories.ts";
import type { Step, Story } from "../view/view.ts";
import { committedAt, lettersOf, subscriberOf } from "./store_look.ts";

/** Where a story is put together from. */
export interface StorySources {
  readonly ledger: Ledger;
  readonly stories: Stories;
  readonly dataDirOf: DataDirOf;
}

const NOTHING = { attempt: undefined, delayMs: undefined, detail: undefined, headers: undefined };

/**
 * The story of the event that is called `told`; `undefined` for one that has neither a row nor a dead
 * letter.
 */
export function eventStory(told: string, sources: StorySources): Story | undefined {
  const { ledger, stories, dataDirOf } = sources;
  const id = ledger.idOf(told);
  const letters = lettersOf(ledger.namesOf(id), dataDirOf);
  const story = stories.story(id) ??
    (letters.length > 0 ? storyOfBefore(id, dataDirOf) : undefined);
  if (!story) return undefined;
  const steps = story.steps.flatMap((step) => {
    // The archive has all of these, and what was in them.
    if (step.kind === "archived" || step.kind === "replayed") return [];
    if (step.kind !== "committed") return [step];
    // n.b. the store knows when something was committed; we know when we saw it.
    const at = committedAt(step.who as SubscriberName, id, dataDirOf);
    return [{ ...step, at: at ?? step.at }];
  });
  for (const { queue, at, reason, detail, headers, replayedAt } of letters) {
    const who = subscriberOf(queue) ?? queue;
    const told = `${reason}: ${detail}`;
    steps.push({ ...NOTHING, at, who, kind: "archived", detail: told, headers });
    for (const at of replayedAt) steps.push({ ...NOTHING, at, who, kind: "replayed" });
  }
  steps.sort((one, other) => one.at - other.at);
  return { ...story, body: story.body ?? letters[0]?.body, steps };
}

/** Of an event of before the page, its stores alone tell. */
function storyOfBefore(id: string, dataDirOf: DataDirOf): Story {
  const steps = SUBSCRIBERS.flatMap((who): Step[] => {
    const at = committedAt(who, id, dataDirOf);
    return at === undefined ? [] : [{ ...NOTHING, at, who, kind: "committed" }];
  });
  const unknown = { type: "?", label: "", headers: undefined, body: undefined };
  return { id, ...unknown, publishing: "earlier", steps };
}
