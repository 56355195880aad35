/// <reference lib="dom" />
/** Which language the page speaks: the reader's, until it is changed; then that one, the next time too. */
import { byId, setText } from "./dom.ts";
import { en } from "./english.ts";
import { es } from "./spanish.ts";
import type { Words } from "./words.ts";

const KEY = "language";
const LANGUAGES: Readonly<Record<string, Words>> = { en, es };

let current: Words = chosen() ?? (navigator.language.startsWith("es") ? es : en);

/** The words to use now. */
export function language(): Words {
  return current;
}

/** Writes what never changes, and lets the language be changed; `onChange` draws the rest anew. */
export function prepareLanguage(onChange: () => void): void {
  byId("language").onclick = () => {
    current = current.code === "en" ? es : en;
    localStorage.setItem(KEY, current.code);
    writeStillWords();
    onChange();
  };
  writeStillWords();
}

function writeStillWords(): void {
  document.documentElement.lang = current.code;
  document.title = current.title;
  setText(byId("title"), current.title);
  const button = byId("language");
  setText(button, current.other);
  button.lang = current.code === "en" ? "es" : "en";
  for (const [id, text] of Object.entries(current.still)) setText(byId(id), text);
}

function chosen(): Words | undefined {
  return LANGUAGES[localStorage.getItem(KEY) ?? ""];
}
