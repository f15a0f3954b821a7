import type { LLMRequest } from "./schema/messages"

export * from "./schema/errors"
export * from "./schema/events"
export * from "./schema/messages"
export * from "./provider-error"
export { LLMClient } from "./route/client"

export const LLM = {
  request: (request: LLMRequest): LLMRequest => request,
}
