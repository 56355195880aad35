/**
 * The errors that this project raises on purpose, by what they cost: a program that cannot go on
 * ({@link EcoMarketError} with an `exitCode`), or one delivery that takes another road
 * ({@link PermanentError}, {@link InvalidMessageError}). Each names the thing, the reason and the
 * next step, so that its message alone can be shown to a person.
 */

/** The base of every expected error: it is shown as its message, without a stack trace. */
export abstract class EcoMarketError extends Error {
  /** A stable word for programs, such as `BROKER_UNREACHABLE`. */
  abstract readonly code: string;
  /** What a command ends with when this error reaches its `main`. @default 1 */
  readonly exitCode: number = 1;

  /** `message` names the thing, the reason and the next step. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

/** An environment variable or a configuration file has a value that cannot be used. */
export class ConfigError extends EcoMarketError {
  override readonly code = "CONFIG_INVALID";
  override readonly exitCode = 2;
}

/** The command line was not understood. Its message is followed by the first lines of the usage text. */
export class UsageError extends EcoMarketError {
  override readonly code = "USAGE";
  override readonly exitCode = 2;
}

/** No broker could be had: none was found, and none could be started. */
export class BrokerSetupError extends EcoMarketError {
  override readonly code = "BROKER_SETUP";
}

/** No private database server could be had: it is not installed, or did not start. */
export class DatabaseSetupError extends EcoMarketError {
  override readonly code = "DATABASE_SETUP";
}

/** No broker answered within the connect timeout. */
export class BrokerUnreachableError extends EcoMarketError {
  override readonly code = "BROKER_UNREACHABLE";
}

/** A broker answered, and refused the credentials or the virtual host. Trying again is useless. */
export class AccessRefusedError extends EcoMarketError {
  override readonly code = "ACCESS_REFUSED";
}

/** No encrypted connection can be had: one side does not accept the other's certificate, or speaks no TLS. */
export class TlsRefusedError extends EcoMarketError {
  override readonly code = "TLS_REFUSED";
}

/** A queue or an exchange stands with other arguments than the topology wants (AMQP 406). */
export class TopologyDriftError extends EcoMarketError {
  override readonly code = "TOPOLOGY_DRIFT";
}

/** The broker's version does not know what is asked of it. */
export class BrokerTooOldError extends EcoMarketError {
  override readonly code = "BROKER_TOO_OLD";
}

/** A queue could not be replaced by one with other arguments. No message of it is lost. */
export class MigrationError extends EcoMarketError {
  override readonly code = "MIGRATION";
}

/** An exchange or a queue that is needed does not exist (AMQP 404). */
export class TopologyMissingError extends EcoMarketError {
  override readonly code = "TOPOLOGY_MISSING";
}

/** A message that is not the event it should be: it can never be handled, whoever tries. */
export class InvalidMessageError extends EcoMarketError {
  override readonly code = "INVALID_MESSAGE";
}

/** An event that a newer version of its contract wrote: a newer consumer can handle it. */
export class NewerEventError extends InvalidMessageError {}

/** Thrown by a handler to say that trying again is useless: the delivery is dead-lettered at once. */
export class PermanentError extends EcoMarketError {
  /** A stable word for programs. */
  override readonly code = "PERMANENT";
}

/** A handler took longer than its subscriber allows. It is tried again, as after any other failure. */
export class HandlerTimeoutError extends EcoMarketError {
  override readonly code = "HANDLER_TIMEOUT";
}

/** The store cannot be used now (busy, full, read-only, on a server that is down). It says nothing about the message. */
export class StoreUnavailableError extends EcoMarketError {
  override readonly code: string = "STORE_UNAVAILABLE";
}

/** The database server does not let us in, or not do that: a person has to do something first. */
export class StoreRefusedError extends StoreUnavailableError {
  override readonly code = "STORE_REFUSED";
}

/** The store is another subscriber's: one inbox for both would lose effects. */
export class StoreOwnerError extends EcoMarketError {
  override readonly code = "STORE_OWNER";
  override readonly exitCode = 2;
}

/** The message of anything that was thrown, in one line. */
export function messageOf(thrown: unknown): string {
  if (thrown instanceof AggregateError && thrown.errors.length > 0) {
    return thrown.errors.map(messageOf).join("; ");
  }
  const text = thrown instanceof Error ? thrown.message || thrown.name : String(thrown);
  return text.replaceAll(/\s+/g, " ").trim();
}

/** For a file that may be missing: the rejection's value is `undefined`. */
export function ignoreNotFound(error: unknown): undefined {
  if (!(error instanceof Deno.errors.NotFound)) throw error;
}
