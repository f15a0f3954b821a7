/** Upstream's package of requests, whose name is another one in OpenCode 1. */
export { LLMError, UnknownProviderReason, isContextOverflowFailure } from "@opencode-ai/ai"
export type { Model, ProviderErrorEvent } from "@opencode-ai/ai"
