/**
 * What every publisher promises, so that the three levels of the workshop can be read side by side
 * and used one for the other.
 */
import { EcoMarketError } from "@ecomarket/shared/base/errors";
import type { AnyEvent } from "@ecomarket/shared/contract/catalogue";

/** Publishes events without knowing who reads them. */
export interface Publisher extends AsyncDisposable {
  /**
   * Publishes `event` and settles with what is known of it then. It does not reject because of the
   * broker or the link: read the outcome.
   *
   * @throws {InvalidMessageError} when `event` breaks the contract.
   */
  publish(event: AnyEvent, options?: PublishOptions): Promise<PublishOutcome>;
  /** Waits for what is under way, then closes the connection. */
  close(): Promise<void>;
}

/** What else travels with an event. */
export interface PublishOptions {
  /** Further AMQP headers. @default none */
  readonly headers?: Readonly<Record<string, string | number>>;
}

/** What is known of a published event. Only `confirmed` means that every subscriber will have it. */
export type PublishOutcome =
  /** Handed to the socket, and nothing more is known. The lower two levels say no more than this. */
  | { readonly status: "sent" }
  /** The broker has it, safely stored, in every subscriber's queue. */
  | { readonly status: "confirmed" }
  /** The broker has no queue for it: nobody will ever read it. */
  | Failed<"returned">
  /** The broker refused it until the deadline passed. Some of the queues may have it. */
  | Failed<"nacked">
  /** The link died before the confirm, and the deadline passed before it came back: it may be there. */
  | Failed<"ambiguous">
  /** It never left this process. */
  | Failed<"unsent">;

/** An event that is not confirmed. */
export interface Failed<S extends string> {
  /** What is known of it. */
  readonly status: S;
  /** Why, and what to do next. */
  readonly error: PublishError;
}

/** Why an event is not confirmed. */
export class PublishError extends EcoMarketError {
  /** The outcome's status in capitals. */
  override readonly code: "RETURNED" | "NACKED" | "AMBIGUOUS" | "UNSENT";

  /** `message` says why the event is not confirmed. */
  constructor(code: PublishError["code"], message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** The outcome `status`, explained by `message`. */
export function failed<S extends "returned" | "nacked" | "ambiguous" | "unsent">(
  status: S,
  message: string,
): Failed<S> {
  const code = status.toUpperCase() as PublishError["code"];
  return { status, error: new PublishError(code, message) };
}
