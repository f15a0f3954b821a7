import { LLMError } from "@opencode-ai/ai"
import type { SessionError } from "@opencode-ai/schema/session-error"
import { StepFailedError } from "./error"

const TYPES: Record<LLMError["reason"]["_tag"], string> = {
  RateLimit: "provider.rate-limit",
  Authentication: "provider.auth",
  QuotaExceeded: "provider.quota",
  Transport: "provider.transport",
  ProviderInternal: "provider.internal",
  InvalidProviderOutput: "provider.invalid-output",
  InvalidRequest: "provider.invalid-request",
  UnknownProvider: "provider.unknown",
}

/** An error as it is stored and shown. */
export function toSessionError(cause: unknown): SessionError.Error {
  if (cause instanceof LLMError) return { type: TYPES[cause.reason._tag], message: cause.reason.message }
  if (cause instanceof StepFailedError) return cause.error
  return { type: "unknown", message: cause instanceof Error ? cause.message : String(cause) }
}
