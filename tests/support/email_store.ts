/** The store of a bench's consumer of `email_queue`, and events for it. */
import { join } from "node:path";
import { encode } from "@ecomarket/shared/contract/catalogue";
import { createUsuarioCreado } from "@ecomarket/shared/contract/usuario_creado";
import type { Bench } from "./bench.ts";
import { eventIds } from "./roles.ts";

/** Publishes a signup of each of `users`, and returns the events' ids in order. */
export function publishSignups(bench: Bench, ...users: readonly string[]): string[] {
  return users.map((user_id) => {
    const event = createUsuarioCreado({ user_id, nombre: "Juan", email: "juan@example.com" });
    const { content, options } = encode(event);
    bench.publishRaw(content.toString(), options);
    return event.event_id;
  }).sort();
}

/** The ids of the events that the bench's consumer of `email_queue` has handled and committed. */
export const handled = (bench: Bench): string[] => eventIds(bench, "email", "handled");
/** Where that consumer keeps its store. */
export const emailStore = (bench: Bench): string => join(bench.directory, "email");
