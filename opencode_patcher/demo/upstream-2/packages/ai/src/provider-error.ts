import { InvalidRequestReason, LLMError } from "./schema/errors"
import type { ProviderErrorEvent } from "./schema/events"

const OVERFLOW = /context[ _]length|context window|prompt is too long/i

export const isContextOverflow = (message: string) => OVERFLOW.test(message)

/** Whether the conversation is too long for the model. */
export function isContextOverflowFailure(error: LLMError | ProviderErrorEvent | undefined) {
  if (error instanceof LLMError)
    return error.reason instanceof InvalidRequestReason && error.reason.classification === "context-overflow"
  return error?.classification === "context-overflow"
}
