/** What the buttons do, and the command that each stands for: what a person would type instead. */

/** One press of a button. */
export type Action =
  | { readonly kind: "publish"; readonly count: number; readonly fail?: string }
  | { readonly kind: "stop" | "kill" | "start"; readonly consumer: string }
  | { readonly kind: "stop-broker" | "start-broker" }
  | { readonly kind: "replay"; readonly letter: number; readonly again?: boolean };

/** The command of `action`. `pid` is the process that `stop` and `kill` end. */
export function commandOf(action: Action, pid?: number): string {
  switch (action.kind) {
    case "publish": {
      const fail = action.fail === undefined ? "" : ` --fail ${action.fail}`;
      return `deno task publish --count ${action.count}${fail}`;
    }
    case "stop":
      return `kill -TERM ${pid ?? "PID"}`;
    case "kill":
      return `kill -9 ${pid ?? "PID"}`;
    case "start":
      return `deno task consumer:${action.consumer}`;
    case "stop-broker":
      return "deno task broker stop";
    case "start-broker":
      return "deno task broker start";
    case "replay":
      return `deno task dead-letters replay ${action.letter}${action.again ? " --again" : ""}`;
  }
}
