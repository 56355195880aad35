import assert from "node:assert/strict";
import { UsageError } from "@ecomarket/shared/base/errors";
import { faultsFor, selectFaults } from "../../tasks/chaos/faults/catalog.ts";

Deno.test("selectFaults() gives the faults of the stores that a run has", () => {
  assert.deepEqual(
    selectFaults(1, "postgres", "database-kill, kill-email").map(({ name }) => name),
    ["database-kill", "kill-email"],
  );
  assert.throws(() => selectFaults(1, "sqlite", "database-kill"), UsageError);
  assert.throws(() => selectFaults(1, "postgres", "store-full"), UsageError);
});

Deno.test("a name of a fault is there once", () => {
  for (const kind of ["sqlite", "postgres"] as const) {
    const names = faultsFor(1, kind).map(({ name }) => name);
    assert.equal(new Set(names).size, names.length);
  }
});
