import { EcoMarketError } from "@ecomarket/shared/base/errors";

/** A document, or the report behind it, is not written as it must be for its figures to be filled in. */
export class DocumentError extends EcoMarketError {
  override readonly code = "DOCUMENT_INVALID";
}
