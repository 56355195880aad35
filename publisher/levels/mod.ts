/**
 * All that whoever publishes events needs: the events, a publisher, and what becomes of an event.
 *
 * ```ts
 * import { createUsuarioCreado, RobustPublisher } from "@ecomarket/publisher";
 * import { roleLogger } from "@ecomarket/shared/process/log";
 *
 * await using publisher = await RobustPublisher.connect({
 *   urls: ["amqp://ecomarket_user:ecomarket_password@localhost:5672"],
 *   log: roleLogger("publisher"),
 * });
 * const event = createUsuarioCreado({ nombre: "Juan Pérez", email: "juan@example.com" });
 * const outcome = await publisher.publish(event);
 * if ("error" in outcome) throw outcome.error;
 * ```
 *
 * @module
 */
export { EcoMarketError } from "@ecomarket/shared/base/errors";
export type { AnyEvent, EventsByType, EventType } from "@ecomarket/shared/contract/catalogue";
export type {
  Encoded,
  EncodedProperties,
  Envelope,
  EventDefinition,
  FieldsOf,
} from "@ecomarket/shared/contract/event";
export type { Body, RawMessage, RawProperties } from "@ecomarket/shared/contract/message";
export type { Logger } from "@ecomarket/shared/process/log";
export {
  type CompraRealizada,
  createCompraRealizada,
  type NewPurchase,
  type PurchaseItem,
} from "@ecomarket/shared/contract/compra_realizada";
export {
  createUsuarioCreado,
  type NewUser,
  type UsuarioCreado,
} from "@ecomarket/shared/contract/usuario_creado";
export {
  type Failed,
  type Publisher,
  PublishError,
  type PublishOptions,
  type PublishOutcome,
} from "./publisher.ts";
export { RobustPublisher, type RobustPublisherOptions } from "./robust_publisher.ts";
