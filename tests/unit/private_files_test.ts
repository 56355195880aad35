/** Names and email addresses are for the user that runs the role, and for nobody else on the machine. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { HAS_FILE_MODES } from "@ecomarket/shared/process/platform";
import { DATABASE_FILE } from "@ecomarket/shared/store/sqlite";
import { SqliteStore } from "@ecomarket/shared/store/sqlite_store";
import { closeToOthers } from "../../shared/store/private_files.ts";
import { temporaryFolder } from "../support/temporary_folder.ts";

const OWNER = { subscriber: "test", queue: "test_queue" };

/** The rights of `path`, such as `600`. */
function modeOf(path: string): string {
  return (Deno.statSync(path).mode! & 0o777).toString(8);
}

/** The rights of all that a store that is open consists of. */
function storeModes(directory: string): Record<string, string> {
  const names = ["", DATABASE_FILE, `${DATABASE_FILE}-wal`, `${DATABASE_FILE}-shm`];
  return Object.fromEntries(names.map((name) => [name, modeOf(join(directory, name))]));
}

const CLOSED_TO_OTHERS = {
  "": "700",
  [DATABASE_FILE]: "600",
  [`${DATABASE_FILE}-wal`]: "600",
  [`${DATABASE_FILE}-shm`]: "600",
};

Deno.test({
  name: "SqliteStore.open() makes a store that nobody else could read at any moment",
  ignore: !HAS_FILE_MODES,
  async fn() {
    await using folder = await temporaryFolder();
    const directory = join(folder.path, "data", "email");
    const previous = Deno.umask(0);
    const { chmodSync } = Deno;
    // n.b. whatever had to be closed by a chmod was open until then.
    Deno.chmodSync = (path) => assert.fail(`${path} was open to others for a moment`);
    try {
      await using store = SqliteStore.open(directory, OWNER, []);
      await store.commit("e-1", []);
      assert.deepEqual(storeModes(directory), CLOSED_TO_OTHERS);
      assert.equal(modeOf(join(folder.path, "data")), "700");
    } finally {
      Deno.chmodSync = chmodSync;
      Deno.umask(previous);
    }
  },
});

Deno.test({
  name: "SqliteStore.open() closes to others what an older version left open to them",
  ignore: !HAS_FILE_MODES,
  async fn() {
    await using folder = await temporaryFolder();
    await SqliteStore.open(folder.path, OWNER, []).close();
    Deno.chmodSync(folder.path, 0o755);
    Deno.chmodSync(join(folder.path, DATABASE_FILE), 0o644);
    // n.b. as after a kill: a process that has it open left the -wal and the -shm behind.
    using old = new DatabaseSync(join(folder.path, DATABASE_FILE));
    old.exec("INSERT INTO inbox VALUES ('e-0', '2026-01-01T00:00:00Z')");
    assert.deepEqual(new Set(Object.values(storeModes(folder.path))), new Set(["755", "644"]));
    await using store = SqliteStore.open(folder.path, OWNER, []);
    assert.deepEqual(storeModes(folder.path), CLOSED_TO_OTHERS);
    assert.equal(await store.has("e-0"), true);
    assert.equal(await store.commit("e-1", []), "committed");
  },
});

Deno.test({
  name: "closeToOthers() leaves a file open that cannot be closed, and takes no right of its owner",
  ignore: !HAS_FILE_MODES,
  async fn() {
    await using folder = await temporaryFolder();
    const file = join(folder.path, "file");
    await Deno.writeTextFile(file, "");
    await Deno.chmod(file, 0o444);
    const { chmodSync } = Deno;
    Deno.chmodSync = () => {
      throw new Deno.errors.PermissionDenied("Operation not permitted");
    };
    try {
      closeToOthers(file);
    } finally {
      Deno.chmodSync = chmodSync;
    }
    assert.equal(modeOf(file), "444");
    closeToOthers(file);
    assert.equal(modeOf(file), "400");
    closeToOthers(join(folder.path, "missing"));
  },
});
