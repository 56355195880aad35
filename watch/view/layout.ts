/** Where each thing of the topology is drawn: a lane for each subscriber, and one for the dead letters. */
import type { View } from "./view.ts";

/** A place in the picture. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

/** A box. */
export interface Box {
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** The boxes of one consumer, from left to right. */
export interface Lane {
  readonly name: string;
  readonly queue: Box;
  readonly consumer: Box;
  readonly store: Box;
  /** One for each delay, below the queue. */
  readonly retries: readonly Box[];
}

/** All boxes, in a picture of this size. */
export interface Layout {
  readonly width: number;
  readonly height: number;
  readonly publisher: Box;
  readonly exchanges: ReadonlyMap<string, Box>;
  readonly lanes: readonly Lane[];
  /** Queues of subscribers that this project does not know. */
  readonly others: ReadonlyMap<string, Box>;
  readonly archive: Lane;
}

const LANE_HEIGHT = 96;
const OTHER_HEIGHT = 56;
const TOP = 16;
const BOX_HEIGHT = 44;
const WIDTH = 960;

/** Places what `view` has. */
export function layOut(
  { subscribers, topology }: Pick<View, "subscribers" | "topology">,
): Layout {
  const lanes = subscribers.map(({ name, retries }, index) =>
    lane(name, TOP + index * LANE_HEIGHT, retries.length)
  );
  const below = TOP + lanes.length * LANE_HEIGHT;
  const others = new Map(
    topology.others.map(({ name }, index) =>
      [name, box(392, below + index * OTHER_HEIGHT, 190)] as const
    ),
  );
  const archiveTop = below + others.size * OTHER_HEIGHT;
  const wanted = [...new Set(topology.bindings.map(({ exchange }) => exchange))];
  const middle = TOP + (lanes.length * LANE_HEIGHT - 32) / 2;
  const gap = 76;
  const first = middle - ((wanted.length - 1) * gap) / 2 - BOX_HEIGHT / 2;
  return {
    width: WIDTH,
    height: archiveTop + BOX_HEIGHT + TOP,
    publisher: box(8, middle - BOX_HEIGHT / 2, 108),
    exchanges: new Map(
      wanted.map((name, index) => [name, box(176, first + index * gap, 150)] as const),
    ),
    lanes,
    others,
    archive: lane("dead-letter", archiveTop, 0),
  };
}

/** The point at which a line leaves or reaches a box, on its side. */
export function side(
  { x, y, width, height }: Box,
  which: "left" | "right" | "top" | "bottom",
): Point {
  switch (which) {
    case "left":
      return { x, y: y + height / 2 };
    case "right":
      return { x: x + width, y: y + height / 2 };
    case "top":
      return { x: x + width / 2, y };
    case "bottom":
      return { x: x + width / 2, y: y + height };
  }
}

/** The way of what a consumer gives up: down beside the queues, to that of the dead letters. */
export function wayOut({ queue, consumer }: Lane, archive: Lane): readonly Point[] {
  const middle = (queue.x + queue.width + consumer.x) / 2;
  const y = consumer.y + consumer.height - 8;
  const end = side(archive.queue, "right");
  return [{ x: consumer.x, y }, { x: middle, y }, { x: middle, y: end.y - 12 }, {
    x: end.x,
    y: end.y - 12,
  }];
}

function box(x: number, y: number, width: number, height: number = BOX_HEIGHT): Box {
  return { x, y, width, height };
}

function lane(name: string, y: number, retries: number): Lane {
  const gap = 6;
  const width = retries === 0 ? 0 : (190 - gap * (retries - 1)) / retries;
  return {
    name,
    queue: box(392, y, 190),
    consumer: box(640, y, 150),
    store: box(846, y, 106),
    retries: Array.from(
      { length: retries },
      (_, index) => box(392 + index * (width + gap), y + BOX_HEIGHT + 6, width, 22),
    ),
  };
}
