/// <reference lib="dom" />
/** The events: a row for each, a column for each subscriber. A row opens the event's story. */
import type { Cell, EventRow, View } from "../view/view.ts";
import { byId, h, keyed, s, setText } from "./dom.ts";
import { openStory } from "./story.ts";
import type { Words } from "./words.ts";

const SYMBOLS: Readonly<Record<Cell["state"], string>> = {
  none: "–",
  waiting: "○",
  retrying: "",
  committed: "✓",
  dead: "✗",
  replayed: "↩",
};

/** Draws the table of events. */
export function drawEvents(view: View, words: Words): void {
  const table = byId("events");
  const names = view.subscribers.map(({ name }) => name);
  keyed(
    table.querySelector("thead tr")!,
    ["", ...names],
    (name) => name || "event",
    () => h("th", { scope: "col" }),
    (cell, name) => setText(cell, name || words.event),
  );
  keyed(
    table.querySelector("tbody")!,
    view.events,
    ({ id }) => id,
    (row) => createRow(row, names),
    (element, row) => updateRow(element, row, names, view.now, words),
  );
  table.toggleAttribute("hidden", view.events.length === 0);
  byId("words-none").toggleAttribute("hidden", view.events.length > 0);
  const { shown, published, perSecond } = view.traffic;
  setText(byId("sampled"), words.sampled(shown, published, perSecond));
}

function createRow({ id }: EventRow, names: readonly string[]): Element {
  const button = h("button", { type: "button", class: "link" });
  button.onclick = () => void openStory(id);
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, button, h("small")),
    ...names.map(() => h("td", {}, h("span", { class: "mark" }), h("span", { class: "cell" }))),
  );
}

function updateRow(
  element: Element,
  { id, type, label, at, publishing, cells }: EventRow,
  names: readonly string[],
  now: number,
  words: Words,
): void {
  const [head, ...others] = element.children;
  setText(head!.querySelector("button")!, label || id.slice(0, 8));
  const time = new Date(at).toLocaleTimeString(words.code);
  setText(head!.querySelector("small")!, `${type} · ${time} · ${words.publishing[publishing]}`);
  names.forEach((name, index) => updateCell(others[index]!, cells[name]!, now, words));
}

function updateCell(element: Element, cell: Cell, now: number, words: Words): void {
  element.setAttribute("data-state", cell.state);
  const mark = element.querySelector(".mark")!;
  const text = element.querySelector(".cell")!;
  if (cell.state === "retrying") {
    const seconds = Math.max(0, Math.ceil((cell.until - now) / 1000));
    drawRing(mark, cell, now);
    setText(text, `${words.cell(cell)}, ${words.again(seconds)}`);
    element.setAttribute("title", cell.reason);
    return;
  }
  if (mark.getAttribute("data-until")) {
    mark.removeAttribute("data-until");
    mark.replaceChildren();
  }
  setText(mark, SYMBOLS[cell.state]);
  setText(text, words.cell(cell));
  if (cell.state === "dead") element.setAttribute("title", `${cell.reason}: ${cell.detail}`);
  else element.removeAttribute("title");
}

const RADIUS = 7;
const ROUND = 2 * Math.PI * RADIUS;

/** A ring that shrinks while the event waits for its next attempt. */
function drawRing(
  mark: Element,
  { until, delayMs }: Extract<Cell, { state: "retrying" }>,
  now: number,
): void {
  if (mark.getAttribute("data-until") === String(until)) return;
  mark.setAttribute("data-until", String(until));
  const circle = s("circle", { cx: 9, cy: 9, r: RADIUS });
  circle.style.setProperty("stroke-dasharray", String(ROUND));
  mark.replaceChildren(
    s("svg", { viewBox: "0 0 18 18", class: "ring", "aria-hidden": "true" }, circle),
  );
  const passed = Math.max(0, delayMs - (until - now));
  if (matchMedia("(prefers-reduced-motion: reduce)").matches) return;
  const animation = circle.animate(
    [{ strokeDashoffset: 0 }, { strokeDashoffset: ROUND }],
    { duration: delayMs, fill: "forwards" },
  );
  animation.currentTime = passed;
}
