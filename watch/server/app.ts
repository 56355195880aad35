/**
 * | request             | answer |
 * |---------------------|--------|
 * | `GET /`, `/page/…`  | the page |
 * | `GET /stream`       | moments, as server-sent events |
 * | `GET /events/{id}`  | the whole story of one event |
 * | `GET /session`      | whether the token is the terminal's |
 * | `POST /actions`     | does what a button stands for: `202`, and the page tells what came of it |
 *
 * Who is refused gets 403: see `guard.ts`.
 */
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { z } from "zod";
import type { Action } from "../view/actions.ts";
import type { Story } from "../view/view.ts";
import type { Asset } from "./assets.ts";
import { hasToken, refuse, SAFE_HEADERS } from "./guard.ts";
import type { LiveStream } from "./live_stream.ts";

/** What the server serves. */
export interface AppOptions {
  readonly assets: ReadonlyMap<string, Asset>;
  readonly stream: LiveStream;
  readonly story: (id: string) => Story | undefined;
  /** Begins it. What comes of it is in the next moments. */
  readonly act: (action: Action) => void;
  readonly token: string;
  /** The port that is listened on. */
  readonly port: () => number;
}

const MAX_BODY_BYTES = 1_024;

const consumer = z.enum(["email", "loyalty", "analytics", "dead-letter"]);
const actionSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("publish"),
    count: z.int().min(1).max(1_000),
    fail: z.string().regex(/^(?:email|loyalty|analytics):(?:\d{1,2}|always)$/).optional(),
  }),
  z.object({ kind: z.enum(["stop", "kill", "start"]), consumer }),
  z.object({ kind: z.enum(["stop-broker", "start-broker"]) }),
  z.object({ kind: z.literal("replay"), letter: z.int().min(1), again: z.boolean().optional() }),
]);

/** The server's routes. */
export function createApp(options: AppOptions): Hono {
  const { assets, stream, story, act, token, port } = options;
  const app = new Hono();
  app.use(async (c, next) => {
    const header = (name: string) => c.req.header(name);
    const refusal = refuse(
      {
        method: c.req.method,
        host: header("host"),
        origin: header("origin"),
        fetchSite: header("sec-fetch-site"),
        authorization: header("authorization"),
      },
      port(),
      token,
    );
    if (refusal) return c.json({ detail: refusal }, 403, SAFE_HEADERS);
    await next();
    for (const [name, value] of Object.entries(SAFE_HEADERS)) c.header(name, value);
    return undefined;
  });
  app.get("/stream", (c) => {
    const body = stream.open();
    if (!body) return c.json({ detail: "Too many look at once: close some tabs" }, 503);
    return c.body(body, 200, { "Content-Type": "text/event-stream" });
  });
  app.get("/events/:id", (c) => {
    const found = story(c.req.param("id"));
    return found ? c.json(found) : c.json({ detail: "This event has no story here" }, 404);
  });
  app.get("/session", (c) => c.json({ acts: hasToken(c.req.header("authorization"), token) }));
  app.post("/actions", bodyLimit({ maxSize: MAX_BODY_BYTES }), async (c) => {
    const parsed = actionSchema.safeParse(await c.req.json().catch(() => undefined));
    if (!parsed.success) return c.json({ detail: z.prettifyError(parsed.error) }, 400);
    act(parsed.data as Action);
    return c.body(null, 202);
  });
  app.get("*", (c) => {
    const asset = assets.get(c.req.path);
    if (!asset) return c.json({ detail: "There is nothing here" }, 404);
    return c.body(asset.body, 200, { "Content-Type": asset.type });
  });
  return app;
}
