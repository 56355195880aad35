/** Sends each moment to all who look, as server-sent events. Who is slow misses moments, and holds up nobody. */
import type { View } from "../view/view.ts";

/** How often a moment is sent. */
const PERIOD_MS = 250;
/** Readers at once: more tabs than anybody opens. */
const MAX_READERS = 50;

interface Reader {
  readonly controller: ReadableStreamDefaultController<Uint8Array>;
}

/** One source of moments, for any number of readers. Disposing of it ends their streams. */
export class LiveStream implements Disposable {
  readonly #readers = new Set<Reader>();
  readonly #view: () => View;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(view: () => View) {
    this.#view = view;
    this.#timer = setInterval(() => this.#send(), PERIOD_MS);
  }

  /** A stream of moments for one more reader, or nothing where there are too many. */
  open(): ReadableStream<Uint8Array> | undefined {
    if (this.#readers.size >= MAX_READERS) return undefined;
    let reader: Reader;
    return new ReadableStream<Uint8Array>({
      start: (controller) => {
        reader = { controller };
        this.#readers.add(reader);
      },
      cancel: () => void this.#readers.delete(reader),
    }, new CountQueuingStrategy({ highWaterMark: 2 }));
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const { controller } of this.#readers) controller.close();
    this.#readers.clear();
  }

  #send(): void {
    if (this.#readers.size === 0) return;
    const bytes = new TextEncoder().encode(`data: ${JSON.stringify(this.#view())}\n\n`);
    for (const { controller } of this.#readers) {
      if ((controller.desiredSize ?? 0) > 0) controller.enqueue(bytes);
    }
  }
}
