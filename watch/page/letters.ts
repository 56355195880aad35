/// <reference lib="dom" />
/** The dead letters, why each died, and the way back. */
import type { LetterRow, View } from "../view/view.ts";
import { createButton, updateButton } from "./button.ts";
import { byId, h, keyed, setText } from "./dom.ts";
import { openStory } from "./story.ts";
import type { Words } from "./words.ts";

/** Draws the dead letters of `view`. */
export function drawLetters(view: View, words: Words): void {
  const nameOf = (queue: string) =>
    view.subscribers.find((subscriber) => subscriber.queue === queue)?.name ?? queue;
  keyed(byId("letters"), view.letters, ({ id }) => String(id), createLetter, (item, letter) => {
    const { id, eventId, queue, reason, detail, state } = letter;
    const label = letter.label || eventId.slice(0, 8);
    setText(item.querySelector("strong")!, label);
    setText(item.querySelector(".state")!, words.letterState[state]);
    item.querySelector(".state")!.setAttribute("data-letter", state);
    setText(
      item.querySelector(".why")!,
      words.died(nameOf(queue), words.reasons[reason] ?? reason),
    );
    setText(item.querySelector("q")!, detail);
    const story = item.querySelector<HTMLButtonElement>(".link")!;
    setText(story, words.story(label));
    story.onclick = () => void openStory(eventId);
    const again = state !== "waiting";
    keyed(
      item.querySelector(".buttons")!,
      state === "done" || state === "died-again" ? [] : [again],
      () => "replay",
      createButton,
      (button) =>
        updateButton(button, {
          key: "replay",
          label: again ? words.button.again : words.button.replay,
          action: { kind: "replay", letter: id, ...(again ? { again } : {}) },
        }),
    );
  });
  byId("words-no-letters").toggleAttribute("hidden", view.letters.length > 0);
}

function createLetter(_letter: LetterRow): Element {
  return h(
    "li",
    {},
    h("p", {}, h("strong"), " ", h("span", { class: "state" })),
    h("p", {}, h("span", { class: "why" }), " ", h("q", { lang: "en" })),
    h("button", { type: "button", class: "link" }),
    h("ul", { class: "buttons compact" }),
  );
}
