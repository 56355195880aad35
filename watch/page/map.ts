/// <reference lib="dom" />
/** The topology as a picture: what is there, what waits in it, and what differs from what is wanted. */
import {
  type Box,
  type Lane,
  type Layout,
  layOut,
  type Point,
  side,
  wayOut,
} from "../view/layout.ts";
import { dotsFor } from "../view/sampling.ts";
import type { ConsumerView, Move, Standing, View } from "../view/view.ts";
import { byId, keyed, s, setAttributes, setText } from "./dom.ts";
import type { Words } from "./words.ts";

interface Drawn {
  readonly key: string;
  readonly box: Box;
  readonly title: string;
  readonly detail: string;
  readonly kind: "publisher" | "exchange" | "queue" | "retry" | "consumer" | "store";
  readonly state: string;
}

interface Line {
  readonly key: string;
  readonly points: readonly Point[];
  readonly state: string;
}

/** Draws the picture of `view`, and what moved. */
export function drawMap(view: View, words: Words): void {
  const layout = layOut(view);
  const picture = pictureOf(layout, words);
  keyed(
    picture.querySelector(".lines")!,
    linesOf(view, layout),
    (line) => line.key,
    createLine,
    updateLine,
  );
  keyed(
    picture.querySelector(".boxes")!,
    boxesOf(view, layout, words),
    ({ key }) => key,
    createBox,
    updateBox,
  );
  const each = Math.max(0, ...view.traffic.moves.map((move) => animate(picture, layout, move)));
  if (each > 0) setText(byId("dots"), words.dots(each));
  const { differences } = view.topology;
  byId("differences").toggleAttribute("hidden", differences.length === 0);
  keyed(
    byId("difference-list"),
    differences,
    (difference) => difference,
    () => document.createElement("li"),
    setText,
  );
}

function pictureOf({ width, height }: Layout, words: Words): SVGSVGElement {
  const map = byId("map");
  let picture = map.querySelector("svg");
  if (!picture) {
    picture = s(
      "svg",
      { role: "img" },
      s("g", { class: "lines" }),
      s("g", { class: "boxes" }),
      s("g", { class: "dots" }),
    );
    map.append(picture);
  }
  setAttributes(picture, { viewBox: `0 0 ${width} ${height}`, "aria-label": words.diagram.label });
  return picture;
}

function boxesOf(view: View, layout: Layout, words: Words): Drawn[] {
  const { subscribers, archive, topology, traffic } = view;
  const standing = new Map(
    [...topology.exchanges, ...topology.queues].map((item) => [item.name, item]),
  );
  const stateOf = (name: string) => standing.get(name)?.state ?? "unknown";
  const marked = (state: Standing["state"], text: string) =>
    state === "missing"
      ? words.diagram.missing
      : state === "differs"
      ? `${text} · ${words.diagram.differs}`
      : text;
  const queueBox = (consumer: ConsumerView, box: Box): Drawn => {
    const state = stateOf(consumer.queue);
    const detail = marked(state, words.depth(shown(consumer.ready), consumer.inHand ?? 0));
    return { key: consumer.queue, box, title: consumer.queue, detail, kind: "queue", state };
  };
  const laneBoxes = (consumer: ConsumerView, lane: Lane, stored: number, unit: string): Drawn[] => [
    queueBox(consumer, lane.queue),
    {
      key: `consumer ${consumer.name}`,
      box: lane.consumer,
      title: consumer.name,
      detail: words.consumer[consumer.state] + instances(consumer),
      kind: "consumer",
      state: consumer.state,
    },
    {
      key: `store ${consumer.name}`,
      box: lane.store,
      title: String(stored),
      detail: unit,
      kind: "store",
      state: "stands",
    },
  ];
  return [
    {
      key: "publisher",
      box: layout.publisher,
      title: words.diagram.publisher,
      detail: String(traffic.published),
      kind: "publisher",
      state: "stands",
    },
    ...[...layout.exchanges].map(([name, box]): Drawn => {
      const state = stateOf(name);
      return {
        key: name,
        box,
        title: name,
        detail: marked(state, "fanout"),
        kind: "exchange",
        state,
      };
    }),
    ...subscribers.flatMap((subscriber, index) => {
      const lane = layout.lanes[index]!;
      return [
        ...laneBoxes(subscriber, lane, subscriber.stored, words.diagram.effects),
        ...subscriber.retries.map(({ delayMs, ready }, slot): Drawn => ({
          key: `${subscriber.queue} ${delayMs}`,
          box: lane.retries[slot]!,
          title: delay(delayMs),
          detail: shown(ready),
          kind: "retry",
          state: ready ? "busy" : "stands",
        })),
      ];
    }),
    ...topology.others.map(({ name, ready }): Drawn => ({
      key: name,
      box: layout.others.get(name)!,
      title: name,
      detail: `${words.diagram.new} · ${ready}`,
      kind: "queue",
      state: "new",
    })),
    ...laneBoxes(archive, layout.archive, archive.stored, words.diagram.letters),
  ];
}

function linesOf({ subscribers, topology }: View, layout: Layout): Line[] {
  const { publisher, exchanges, lanes, archive, others } = layout;
  const queueBoxes = new Map([
    ...subscribers.map(({ queue }, index) => [queue, lanes[index]!.queue] as const),
    ...others,
  ]);
  const join = (key: string, from: Box, to: Box, state = "stands"): Line => ({
    key,
    points: [side(from, "right"), side(to, "left")],
    state,
  });
  return [
    ...[...exchanges].map(([name, box]) => join(`publisher ${name}`, publisher, box)),
    ...topology.bindings.flatMap(({ exchange, queue, state }) => {
      const [from, to] = [exchanges.get(exchange), queueBoxes.get(queue)];
      return from && to ? [join(`${exchange} ${queue}`, from, to, state)] : [];
    }),
    ...topology.others.flatMap(({ name, exchange }) => {
      const from = exchanges.get(exchange);
      return from ? [join(`${exchange} ${name}`, from, others.get(name)!, "new")] : [];
    }),
    ...[...lanes, archive].flatMap(({ name, queue, consumer, store }) => [
      join(`${name} consumes`, queue, consumer),
      join(`${name} commits`, consumer, store),
    ]),
    ...lanes.map((lane): Line => ({
      key: `${lane.name} gives up`,
      points: wayOut(lane, archive),
      state: "rare",
    })),
  ];
}

function createLine(): Element {
  return s("polyline");
}

function updateLine(element: Element, { points, state }: Line): void {
  const text = points.map(({ x, y }) => `${x},${y}`).join(" ");
  setAttributes(element, { points: text, "data-state": state });
}

function createBox({ kind }: Drawn): Element {
  return s(
    "g",
    { class: `box ${kind}` },
    s("rect", { rx: kind === "exchange" ? 22 : 8 }),
    s("text", { class: "name" }),
    s("text", { class: "detail" }),
  );
}

function updateBox(element: Element, { box, title, detail, kind, state }: Drawn): void {
  const { x, y, width, height } = box;
  const [rect, name, about] = element.children;
  const isSmall = kind === "retry";
  element.setAttribute("data-state", state);
  setAttributes(rect!, { x, y, width, height });
  const center = x + width / 2;
  setAttributes(name!, { x: isSmall ? x + 8 : center, y: y + (isSmall ? 15 : 19) });
  setAttributes(about!, { x: isSmall ? x + width - 8 : center, y: y + (isSmall ? 15 : 35) });
  setText(name!, title);
  setText(about!, detail);
}

/** Lets dots run for one move. @returns for how many events each stands. */
function animate(picture: SVGSVGElement, layout: Layout, { kind, who, count }: Move): number {
  const { dots, each } = dotsFor(count);
  const path = pathOf(layout, kind, who);
  if (path.length < 2 || matchMedia("(prefers-reduced-motion: reduce)").matches) return 0;
  const place = picture.querySelector(".dots")!;
  for (let n = 0; n < dots; n++) {
    const dot = s("circle", { r: 4, class: kind });
    place.append(dot);
    const animation = dot.animate(
      path.map(({ x, y }) => ({ transform: `translate(${x}px, ${y}px)` })),
      { duration: 300 * path.length, delay: n * 90, easing: "ease-in-out", fill: "backwards" },
    );
    animation.onfinish = animation.oncancel = () => dot.remove();
  }
  return each;
}

function pathOf(
  { publisher, exchanges, lanes, archive }: Layout,
  kind: Move["kind"],
  who: string | undefined,
): readonly Point[] {
  const lane = lanes.find(({ name }) => name === who);
  switch (kind) {
    case "published": {
      const exchange = exchanges.get("user_events") ?? [...exchanges.values()][0];
      return exchange
        ? [side(publisher, "right"), side(exchange, "left"), side(exchange, "right")]
        : [];
    }
    case "committed":
      return lane
        ? [
          side(lane.queue, "left"),
          side(lane.queue, "right"),
          side(lane.consumer, "right"),
          side(lane.store, "left"),
        ]
        : [];
    case "retried":
      return lane
        ? [side(lane.consumer, "left"), side(lane.retries[0] ?? lane.queue, "right")]
        : [];
    case "dead":
      return lane
        ? [...wayOut(lane, archive), side(archive.consumer, "right"), side(archive.store, "left")]
        : [];
  }
}

function shown(count: number | undefined): string {
  return count === undefined ? "?" : String(count);
}

function instances({ consumers }: ConsumerView): string {
  return consumers !== undefined && consumers > 1 ? ` × ${consumers}` : "";
}

/** A delay as short as the box of its queue. */
function delay(ms: number): string {
  return ms >= 60_000 ? `${Math.round(ms / 6_000) / 10} min` : `${ms / 1_000} s`;
}
