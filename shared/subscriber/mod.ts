/**
 * All that the author of a subscriber needs: what to write, what it is given, and what it may throw.
 *
 * ```ts
 * import { eventConsumer, runConsumer } from "@ecomarket/shared/subscriber";
 *
 * const audit = eventConsumer({
 *   name: "audit",
 *   queue: "audit_queue",
 *   migrations: ["CREATE TABLE audit (event_id TEXT NOT NULL, user_id TEXT NOT NULL)"],
 *   on: {
 *     UsuarioCreado: ({ event_id, user_id }) => [
 *       { sql: "INSERT INTO audit VALUES (?, ?)", params: [event_id, user_id] },
 *     ],
 *   },
 * });
 *
 * if (import.meta.main) await runConsumer(audit);
 * ```
 *
 * @module
 */
export { EcoMarketError, PermanentError } from "../base/errors.ts";
export type { AnyEvent, EventsByType, EventType } from "../contract/catalogue.ts";
export type { CompraRealizada, PurchaseItem } from "../contract/compra_realizada.ts";
export type {
  Encoded,
  EncodedProperties,
  Envelope,
  EventDefinition,
  FieldsOf,
} from "../contract/event.ts";
export type { NativeRetry } from "../contract/native_retry.ts";
export type { Ordered } from "../contract/partitions.ts";
export type { Body, RawMessage, RawProperties } from "../contract/message.ts";
export type {
  BindingSpec,
  ExchangeSpec,
  LinkSpec,
  QueueSpec,
  Topology,
} from "../contract/topology.ts";
export type { UsuarioCreado } from "../contract/usuario_creado.ts";
export type { Logger } from "../process/log.ts";
export type { Dialect, Effect, Sql, SqlValue, Statement, StoreMigrations } from "../store/store.ts";
export {
  type Consumer,
  type EventConsumer,
  eventConsumer,
  type EventConsumerDefinition,
  type EventHandlers,
  runConsumer,
} from "./consumer.ts";
export type {
  Dependency,
  FailureRoute,
  HandlerContext,
  Incoming,
  SubscriberSpec,
} from "./subscriber_spec.ts";
