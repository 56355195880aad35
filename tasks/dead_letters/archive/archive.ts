/** The archive as this command has it open, beside the consumer that writes it. */
import { join } from "node:path";
import { ARCHIVE, openArchive } from "@ecomarket/shared/archive/tables";
import { EcoMarketError } from "@ecomarket/shared/base/errors";
import { tryLockFolder } from "@ecomarket/shared/base/folder_lock";
import { databaseAddress, dataDir } from "@ecomarket/shared/process/config";
import { DATABASE_FILE, type SqliteDatabase } from "@ecomarket/shared/store/sqlite";
import { Letters } from "./letters.ts";
import { Operations } from "./operations.ts";

/** What was asked for is not in the archive, or there is no archive. */
export class ArchiveError extends EcoMarketError {
  override readonly code = "DEAD_LETTERS";
}

/**
 * How long a write waits for the consumer's, which takes milliseconds. n.b. nothing else is done
 * meanwhile: no link of ours may time out of it.
 */
const BUSY_TIMEOUT_MS = 5_000;

/** The archive, open for reading and deciding. */
export class Archive implements Disposable {
  readonly letters: Letters;
  readonly operations: Operations;

  private constructor(readonly directory: string, readonly db: SqliteDatabase) {
    this.letters = new Letters(db);
    this.operations = new Operations(db);
  }

  /**
   * Opens the archive below `DATA_DIR`. It makes none: an archive that is not there has no dead letters.
   *
   * @throws {ArchiveError} where no dead-letter consumer has ever run, or the archive is no file.
   * @throws {StoreUnavailableError} when it cannot be opened now.
   */
  static open(directory: string = dataDir(ARCHIVE)): Archive {
    if (databaseAddress()) {
      throw new ArchiveError(
        "The archive of dead letters is on PostgreSQL, for DATABASE_URL is set, and this command reads " +
          `files only. Look at it with psql: SELECT * FROM ${ARCHIVE}.waiting_letters`,
      );
    }
    if (!exists(join(directory, DATABASE_FILE))) {
      throw new ArchiveError(
        `There is no archive of dead letters in ${directory}: its consumer has never run with this ` +
          "DATA_DIR. What failed waits in dead_letter_queue until you run: " +
          "deno task consumer:dead-letter",
      );
    }
    return new Archive(directory, openArchive(directory, { busyTimeoutMs: BUSY_TIMEOUT_MS }));
  }

  /**
   * Lets no other process decide about dead letters until it is disposed of: two that resume one
   * operation would send everything twice. A killed one leaves it free at once.
   *
   * @throws {ArchiveError} while another process has it.
   */
  lock(): Disposable {
    const lock = tryLockFolder(this.directory);
    if (lock) return lock;
    throw new ArchiveError(
      `Another process replays or discards dead letters of ${this.directory}. ` +
        "Wait until it has ended, or stop it: it can be resumed",
    );
  }

  [Symbol.dispose](): void {
    this.db.close();
  }
}

function exists(path: string): boolean {
  try {
    Deno.statSync(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    if (error instanceof Deno.errors.PermissionDenied) return true; // Opening it says what is wrong.
    throw error;
  }
}
