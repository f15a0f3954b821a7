/** Upstream's package for requests, in OpenCode 1. */
import { LLMError, UnknownProviderReason } from "@opencode-ai/llm"

export { LLMError, isContextOverflowFailure } from "@opencode-ai/llm"
export type { Model, ProviderErrorEvent } from "@opencode-ai/llm"

/** The error of a request that we end. */
export const failed = (message: string) =>
  new LLMError({ module: "combined", method: "stream", reason: new UnknownProviderReason({ message }) })

/** What the provider answered, and the event that upstream could not read. */
export function details({ reason }: LLMError) {
  const http = "http" in reason ? reason.http : undefined
  return {
    status: http?.response?.status,
    headers: http?.response?.headers,
    body: http?.body,
    code: reason._tag === "Transport" ? reason.kind : undefined,
    event: "raw" in reason ? reason.raw : undefined,
  }
}
