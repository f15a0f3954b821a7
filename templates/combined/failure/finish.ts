/**
 * How an answer ended, where the SDK's word for it does not say. Pure.
 *
 * An SDK calls every finish reason that it does not know "other", and upstream takes that for an answer without one.
 */

/** A finish reason as the AI SDK tells it: its own word, and the provider's. */
export type Reason = {
  readonly unified: "stop" | "length" | "content-filter" | "tool-calls" | "error" | "other"
  readonly raw: string | undefined
}

/** What was seen of the answer before its end. */
export type Seen = {
  /** Text or reasoning came. */
  readonly said: boolean
  /** A tool was called. */
  readonly called: boolean
  /** Why the provider refused the prompt. */
  readonly blocked: string | undefined
}

/** Answers that the provider broke off by itself: DeepSeek's `insufficient_system_resource`, vLLM's and SGLang's `abort`. */
const BROKEN = /^(?:insufficient_system_resource|abort(?:ed)?|error)$/i

export function read(reason: Reason, seen: Seen): Reason {
  // A call that is announced and never made would have the model asked again for ever.
  if (reason.unified === "tool-calls" && !seen.called && !seen.said) return { ...reason, unified: "stop" }
  if (reason.unified !== "other") return reason
  if (reason.raw === undefined) return seen.blocked ? { unified: "content-filter", raw: seen.blocked } : reason
  if (BROKEN.test(reason.raw)) return { ...reason, unified: "error" }
  return { ...reason, unified: seen.called ? "tool-calls" : "stop" }
}

/** Why Google refuses a prompt, in an event without an answer: https://ai.google.dev/api/generate-content#BlockReason */
export function blocked(event: unknown): string | undefined {
  const { promptFeedback } = (event ?? {}) as { promptFeedback?: { blockReason?: unknown } }
  return typeof promptFeedback?.blockReason === "string" ? promptFeedback.blockReason : undefined
}

export * as CombinedFinish from "./finish"
