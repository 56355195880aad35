/// <reference lib="dom" />
/** The token of the terminal's address, and what it allows. It is no cookie: no other site can use it. */
import type { Action } from "../view/actions.ts";
import type { Story } from "../view/view.ts";

const KEY = "token";

/** Takes the token out of the address, so that it is in no history and no screenshot. */
function takeToken(): string {
  const given = new URLSearchParams(location.hash.slice(1)).get("token");
  if (given) {
    sessionStorage.setItem(KEY, given);
    history.replaceState(null, "", location.pathname);
  }
  return sessionStorage.getItem(KEY) ?? "";
}

const token = takeToken();
const headers = { authorization: `Bearer ${token}` };

/** Whether this page may press buttons. */
export async function mayAct(): Promise<boolean> {
  const answer = await fetch("/session", { headers });
  return answer.ok && (await answer.json()).acts === true;
}

/** Presses a button. What comes of it is in the next moments. */
export async function act(action: Action): Promise<void> {
  await fetch("/actions", {
    method: "POST",
    headers: { ...headers, "content-type": "application/json" },
    body: JSON.stringify(action),
  });
}

/** The story of an event; `undefined` for one that has none any more. */
export async function readStory(id: string): Promise<Story | undefined> {
  const answer = await fetch(`/events/${encodeURIComponent(id)}`);
  return answer.ok ? await answer.json() : undefined;
}
