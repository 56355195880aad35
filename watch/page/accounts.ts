/// <reference lib="dom" />
/** Each subscriber in a row: whether what was published is all somewhere, and its process. */
import type { Account, ArchiveView, ConsumerView, SubscriberView, View } from "../view/view.ts";
import { type ActionButton, createButton, updateButton } from "./button.ts";
import { byId, h, keyed, setText } from "./dom.ts";
import type { Words } from "./words.ts";

const TERMS = ["published", "effects", "deadLetters", "waiting"] as const;
const SIGNS: Readonly<Record<typeof TERMS[number], string>> = {
  published: "",
  effects: "=",
  deadLetters: "+",
  waiting: "+",
};

/** Draws the accounts of `view`. */
export function drawAccounts(view: View, words: Words): void {
  const body = byId("accounts").querySelector("tbody")!;
  const rows: readonly (SubscriberView | ArchiveView)[] = [...view.subscribers, view.archive];
  keyed(body, rows, ({ name }) => name, createRow, (row, consumer) => {
    const [head, sum, process] = row.children;
    const state = head!.querySelector(".state")!;
    setText(head!.querySelector("strong")!, consumer.name);
    setText(state, words.consumer[consumer.state]);
    state.setAttribute("data-state", consumer.state);
    if ("account" in consumer) updateAccount(sum!, consumer.account, words);
    else setText(sum!.querySelector(".verdict")!, `${consumer.stored} ${words.diagram.letters}`);
    sum!.querySelector(".sum")!.toggleAttribute("hidden", !("account" in consumer));
    updateProcess(process!, consumer, words);
  });
  setText(byId("earlier"), words.earlier(view.traffic.earlier));
}

function createRow(): Element {
  const sum = h("p", { class: "sum" });
  for (const term of TERMS) {
    sum.append(
      h("span", { class: "sign", "aria-hidden": "true" }),
      h("span", { class: "term", "data-term": term }, h("b"), " ", h("small")),
    );
  }
  return h(
    "tr",
    {},
    h("th", { scope: "row" }, h("strong"), " ", h("span", { class: "state" })),
    h("td", {}, sum, h("p", { class: "verdict" })),
    h("td", {}, h("p", { class: "instance" }), h("ul", { class: "buttons compact" })),
  );
}

function updateAccount(cell: Element, account: Account, words: Words): void {
  const signs = cell.querySelectorAll(".sign");
  cell.querySelectorAll(".term").forEach((span, index) => {
    const term = TERMS[index]!;
    setText(signs[index]!, SIGNS[term]);
    setText(span.querySelector("b")!, String(account[term]));
    setText(span.querySelector("small")!, words.account[term]);
  });
  const verdict = cell.querySelector(".verdict")!;
  const { waiting, held } = account;
  const witness = waiting > 0 && held !== undefined ? ` · ${held} ${words.account.held}` : "";
  setText(verdict, words.verdict(account.verdict) + witness);
  verdict.setAttribute("data-verdict", account.verdict.kind);
}

function updateProcess(cell: Element, consumer: ConsumerView, words: Words): void {
  const { instance, consumers = 0 } = consumer;
  setText(
    cell.querySelector(".instance")!,
    instance ? words.instance(instance) : words.elsewhere(consumers),
  );
  keyed(
    cell.querySelector(".buttons")!,
    buttonsOf(consumer, words),
    ({ key }) => key,
    createButton,
    updateButton,
  );
}

/** What can be done with a consumer: what others have started is theirs. */
function buttonsOf(
  { name, instance, consumers = 0 }: ConsumerView,
  { button }: Words,
): ActionButton[] {
  const runs = instance && ["starting", "running", "stopping"].includes(instance.state);
  if (runs) {
    const { pid } = instance;
    return [
      { key: "stop", label: button.stop, action: { kind: "stop", consumer: name }, pid },
      {
        key: "kill",
        label: button.kill,
        action: { kind: "kill", consumer: name },
        pid,
        isDangerous: true,
      },
    ];
  }
  if (!instance && consumers > 0) return [];
  return [{ key: "start", label: button.start, action: { kind: "start", consumer: name } }];
}
