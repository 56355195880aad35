/// <reference lib="dom" />
/** The whole story of one event, in a dialog: times, attempts, errors, headers and the message. */
import type { Step } from "../view/view.ts";
import { byId, h, setText } from "./dom.ts";
import { readStory } from "./session.ts";
import { language } from "./language.ts";

const dialog = () => byId("story") as HTMLDialogElement;

/** Opens the story of the event `id`. */
export async function openStory(id: string): Promise<void> {
  const story = await readStory(id);
  if (!story) return;
  const words = language();
  setText(byId("story-title"), words.story(story.label || id));
  setText(byId("story-what"), `${story.type} · ${id} · ${words.publishing[story.publishing]}`);
  byId("story-steps").replaceChildren(...story.steps.map((step) => stepItem(step)));
  setText(byId("story-headers"), story.headers ? JSON.stringify(story.headers, null, 2) : "–");
  setText(byId("story-body"), pretty(story.body));
  dialog().showModal();
}

/** Lets the dialog close. */
export function prepareStory(): void {
  byId("story-close").onclick = () => dialog().close();
}

function stepItem(step: Step): Element {
  const words = language();
  const time = new Date(step.at).toISOString().slice(11, 23);
  return h(
    "li",
    { "data-kind": step.kind },
    h("time", { datetime: new Date(step.at).toISOString() }, `${time} UTC`),
    h("span", {}, words.step(step)),
    step.detail ? h("q", { lang: "en" }, step.detail) : undefined,
    step.headers
      ? h(
        "details",
        {},
        h("summary", {}, words.still["words-headers"]),
        h("pre", { tabindex: 0 }, JSON.stringify(step.headers, null, 2)),
      )
      : undefined,
  );
}

/** A body that is JSON is indented; whatever else it is, it is shown as it is. */
function pretty(body: string | undefined): string {
  if (body === undefined) return "–";
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
