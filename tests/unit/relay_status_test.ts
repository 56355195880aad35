/** How a relay is, whose lanes are not all alike. */
import assert from "node:assert/strict";
import { combined, type RelayStatus } from "../../publisher/outbox/relay_status.ts";

Deno.test("combined() is as the worst of its parts, with the first problem", () => {
  const connected: RelayStatus = { state: "connected" };
  const lacking: RelayStatus = { state: "connecting", problem: "No exchange" };
  const failing: RelayStatus = { state: "connected", problem: "2 events stay" };
  const stopped: RelayStatus = { state: "stopped" };
  const cases: [RelayStatus[], RelayStatus][] = [
    [[connected, connected], connected],
    [[connected, lacking], lacking],
    [[lacking, failing], lacking],
    [[failing, connected], failing],
    [[stopped, stopped], stopped],
    [[stopped, connected], { state: "connecting" }],
  ];
  for (const [parts, whole] of cases) assert.deepEqual(combined(parts), whole);
});
