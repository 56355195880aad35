/** The archive of dead letters, from outside. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { readStore } from "@ecomarket/testbed/stores/read_store";
import type { Bench } from "./bench.ts";
import { eventually } from "./eventually.ts";

/** What the archive in the folder of `bench` holds, in the order in which it came. */
export function archived(bench: Bench): Record<string, unknown>[] {
  const all = "SELECT * FROM dead_letters ORDER BY id";
  return readStore(join(bench.directory, "dead_letters"), (db) => db.prepare(all).all()) ?? [];
}

/** The one dead letter in the archive, once it is there. */
export function onlyArchived(bench: Bench): Promise<Record<string, unknown>> {
  return eventually(() => {
    const [only, ...others] = archived(bench);
    assert.ok(only);
    assert.equal(others.length, 0);
    return only;
  });
}

/** Takes the dead letter that waits ten times, and hands it back: once more, and it would be dropped. */
export async function refuseTenTimes(bench: Bench): Promise<void> {
  const channel = await bench.connection.createChannel();
  for (let n = 0; n < 10; n++) {
    const message = await eventually(async () => {
      const got = await channel.get("dead_letter_queue");
      assert.ok(got);
      return got;
    });
    channel.nack(message, false, true);
  }
}
