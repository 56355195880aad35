/// <reference lib="dom" />
/** The page: takes each moment as it comes, and draws it. While nobody sees the page, it rests. */
import { concerns, weightOf } from "../view/concerns.ts";
import type { View } from "../view/view.ts";
import { drawAccounts } from "./accounts.ts";
import { type ActionButton, createButton, rights, updateButton } from "./button.ts";
import { byId, h, keyed, setText } from "./dom.ts";
import { drawEvents } from "./events.ts";
import { language, prepareLanguage } from "./language.ts";
import { drawLetters } from "./letters.ts";
import { drawMap } from "./map.ts";
import { mayAct } from "./session.ts";
import { prepareStory } from "./story.ts";
import type { Words } from "./words.ts";

let last: View | undefined;
let connection: keyof Words["connection"] = "lost";
let stream: EventSource | undefined;

function draw(): void {
  const words = language();
  const { readOnly, code } = words;
  document.documentElement.lang = code;
  byId("read-only").hidden = rights.mayAct;
  setText(byId("read-only"), readOnly);
  const broker = last
    ? ` · RabbitMQ ${last.broker.version} ${words.broker[last.broker.state]}`
    : "";
  const status = byId("status");
  setText(status, words.connection[connection] + broker);
  status.setAttribute("data-connection", connection);
  drawPublish(words);
  if (!last) return;
  drawConcerns(last, words);
  drawAccounts(last, words);
  drawMap(last, words);
  drawBroker(last, words);
  drawEvents(last, words);
  drawLetters(last, words);
  drawDeeds(last, words);
}

function drawConcerns(view: View, words: Words): void {
  const found = concerns(view);
  keyed(
    byId("concerns"),
    found,
    (concern) => `${concern.kind} ${"who" in concern ? concern.who : ""}`,
    () => h("li"),
    (item, concern) => {
      item.setAttribute("data-weight", weightOf(concern));
      setText(item, words.concern(concern));
    },
  );
  // Read aloud when something changes, not whenever a number does.
  const [first] = found;
  const kinds = found.map(({ kind }) => kind).join();
  const announcement = byId("announcement");
  if (first && announcement.getAttribute("data-kinds") !== kinds + words.code) {
    announcement.setAttribute("data-kinds", kinds + words.code);
    setText(announcement, words.concern(first));
  }
}

function drawPublish(words: Words): void {
  const { button } = words;
  const buttons: readonly ActionButton[] = [
    { key: "one", label: button.publishOne, action: { kind: "publish", count: 1 } },
    { key: "many", label: button.publishMany, action: { kind: "publish", count: 100 } },
    {
      key: "twice",
      label: button.failTwice,
      action: { kind: "publish", count: 1, fail: "email:2" },
    },
    {
      key: "always",
      label: button.failAlways,
      action: { kind: "publish", count: 1, fail: "loyalty:always" },
    },
  ];
  keyed(byId("publish"), buttons, ({ key }) => key, createButton, updateButton);
}

function drawBroker({ broker }: View, { button }: Words): void {
  const buttons: readonly ActionButton[] = broker.kind !== "private" ? [] : [
    broker.state === "stopped"
      ? { key: "start", label: button.startBroker, action: { kind: "start-broker" } }
      : {
        key: "stop",
        label: button.stopBroker,
        action: { kind: "stop-broker" },
        isDangerous: true,
      },
  ];
  byId("broker").hidden = buttons.length === 0;
  keyed(byId("broker-buttons"), buttons, ({ key }) => key, createButton, updateButton);
}

function drawDeeds({ deeds }: View, words: Words): void {
  const create = () =>
    h("li", {}, h("code"), " ", h("span", { class: "state" }), h("pre", { tabindex: 0 }));
  keyed(byId("deeds"), deeds, ({ n }) => String(n), create, (item, { command, state, output }) => {
    setText(item.querySelector("code")!, command);
    setText(item.querySelector(".state")!, words.deed[state]);
    item.querySelector(".state")!.setAttribute("data-deed", state);
    setText(item.querySelector("pre")!, output);
    item.querySelector("pre")!.hidden = output === "";
  });
}

function listen(): void {
  stream?.close();
  stream = undefined;
  if (document.hidden) {
    connection = "paused";
    return draw();
  }
  stream = new EventSource("/stream");
  stream.onmessage = ({ data }) => {
    connection = "live";
    last = JSON.parse(data);
    draw();
  };
  stream.onerror = () => {
    connection = "lost";
    draw();
  };
}

rights.mayAct = await mayAct().catch(() => false);
prepareLanguage(draw);
prepareStory();
document.addEventListener("visibilitychange", listen);
listen();
draw();
