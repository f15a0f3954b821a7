/** Upstream's package of requests, whose name is another one in OpenCode 2. */
export { LLMError, UnknownProviderReason, isContextOverflowFailure } from "@opencode-ai/llm"
export type { Model, ProviderErrorEvent } from "@opencode-ai/llm"
