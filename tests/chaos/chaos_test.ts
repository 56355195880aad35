/** The chaos run itself, as CI does it: short, with every fault that one node can have; a cluster; and PostgreSQL. */
import assert from "node:assert/strict";
import { postgresTest } from "../support/postgres_of_file.ts";
import { runDeno } from "../../testbed/project/run_deno.ts";

interface Receipt {
  readonly ok: boolean;
  readonly ledger: {
    readonly attempted: number;
    readonly confirmed: number;
    readonly subscribers: Readonly<Record<string, { lost: number; duplicateEffects: number }>>;
  };
  readonly faults: readonly { name: string; proof: string; failure?: string }[];
  readonly skipped: readonly { name: string; reason: string }[];
}

async function chaos(...args: string[]): Promise<Receipt> {
  const { code, stdout, stderr } = await runDeno(
    ["run", "-q", "-P=operator", "tasks/chaos/chaos.ts", "--json", ...args],
  );
  const receipt = JSON.parse(stdout) as Receipt;
  assert.equal(code, 0, stderr);
  return receipt;
}

function assertNothingLost({ ok, ledger, faults }: Receipt, events: number): void {
  assert.ok(ok);
  assert.ok(ledger.attempted >= events);
  assert.equal(ledger.confirmed, ledger.attempted);
  for (const { lost, duplicateEffects } of Object.values(ledger.subscribers)) {
    assert.equal(lost, 0);
    assert.equal(duplicateEffects, 0);
  }
  for (const { name, proof } of faults) assert.notEqual(proof, "", name);
}

Deno.test("deno task chaos loses nothing of 2,000 events under every fault of a single node", async () => {
  const receipt = await chaos("--events", "2000", "--minutes", "1", "--seed", "7");
  assertNothingLost(receipt, 2_000);
  assert.equal(receipt.faults.length + receipt.skipped.length, 29);
});

Deno.test("deno task chaos loses nothing when the leader of a cluster of three is killed", async () => {
  const faults = ["--faults", "leader-killed"];
  const receipt = await chaos("--nodes", "3", "--events", "1000", "--minutes", "1", ...faults);
  assertNothingLost(receipt, 1_000);
  assert.deepEqual(receipt.faults.map(({ name }) => name), ["leader-killed"]);
});

postgresTest(
  "deno task chaos --store postgres loses nothing when the database dies under two of each role",
  async () => {
    const faults = [
      "kill-email",
      "kill-all-loyalty",
      "database-kill",
      "database-connections-terminated",
      "standby-promoted",
    ];
    const options = ["--store", "postgres", "--events", "600", "--minutes", "1"];
    const receipt = await chaos(...options, "--faults", faults.join(","));
    assertNothingLost(receipt, 600);
    assert.deepEqual(receipt.faults.map(({ name }) => name).sort(), faults.sort());
  },
);
