/// <reference lib="dom" />
/** A button with the command that it stands for. */
import { type Action, commandOf } from "../view/actions.ts";
import { h, setText } from "./dom.ts";
import { act } from "./session.ts";

/** One button, and what it does. */
export interface ActionButton {
  readonly key: string;
  readonly label: string;
  readonly action: Action;
  readonly pid?: number | undefined;
  readonly isDangerous?: boolean;
}

/** Whether buttons do anything: not for who only looks. */
export const rights = { mayAct: false };

/** The item of a list of buttons. */
export function createButton(): HTMLElement {
  return h("li", {}, h("button", { type: "button" }), " ", h("code"));
}

/** Makes it the button of `wanted`. */
export function updateButton(item: Element, wanted: ActionButton): void {
  const button = item.querySelector("button")!;
  const command = item.querySelector("code")!;
  setText(button, wanted.label);
  setText(command, commandOf(wanted.action, wanted.pid));
  button.classList.toggle("danger", wanted.isDangerous ?? false);
  button.disabled = !rights.mayAct;
  button.onclick = () => void act(wanted.action);
}
