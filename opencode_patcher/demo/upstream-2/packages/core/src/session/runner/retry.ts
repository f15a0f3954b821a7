export * as SessionRunnerRetry from "./retry"

import type { LLMError } from "@opencode-ai/ai"
import type { SessionError } from "@opencode-ai/schema/session-error"
import { Data } from "effect"
import type { SessionMessage } from "../message"

/** A step that has said nothing; the same provider is asked again. */
export class RetryableFailure extends Data.TaggedError("SessionRunner.RetryableFailure")<{
  readonly cause: LLMError
  readonly assistantMessageID: SessionMessage.ID
  readonly error: SessionError.Error
  readonly step: number
}> {}

export const RETRIES = 4

export const isRetryable = ({ reason }: LLMError) =>
  reason._tag === "RateLimit" || reason._tag === "ProviderInternal" || reason._tag === "Transport"

/** Milliseconds until the request after so many failed ones. */
export function pause({ reason }: LLMError, failed: number) {
  const asked = "retryAfterMs" in reason ? (reason.retryAfterMs ?? 0) : 0
  return Math.max(2000 * 2 ** failed, asked)
}
