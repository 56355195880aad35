/** Whether effects were committed in the order in which their events were published. */

/** An effect that was committed after that of a later event of the same user. */
export interface Inversion {
  readonly user_id: string;
  readonly event_id: string;
}

/**
 * Each inversion within a user among `effects`, which are in the order of their commits; `published`
 * are the ids of the events in the order in which the broker confirmed them.
 */
export function inversions(
  effects: readonly { readonly event_id: string; readonly user_id: string }[],
  published: readonly string[],
): Inversion[] {
  const position = new Map(published.map((id, index) => [id, index]));
  const last = new Map<string, number>();
  return effects.filter(({ event_id, user_id }) => {
    const at = position.get(event_id) ?? -1;
    const isLate = at < (last.get(user_id) ?? -1);
    if (!isLate) last.set(user_id, at);
    return isLate;
  });
}
