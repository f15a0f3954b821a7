/**
 * How an answer ended, where the SDK's word for it does not say. Pure.
 *
 * An SDK calls every finish reason that it does not know "other", and upstream takes that for an answer without one. Only
 * words that say "complete" are believed: whatever else a provider says behind half an answer, the answer is broken.
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
  /** A call came whose arguments never became whole. */
  readonly cut: boolean
  /** Why the provider refused the prompt. */
  readonly blocked: string | undefined
}

/** Words of vLLM, TGI, Together, Anthropic, Bedrock, Cohere, OpenRouter's providers, in their spellings. */
const COMPLETE =
  /^(?:stop|stopped|stop[_ -]?(?:sequence|token|word|criteria_met)|eos(?:[_ -]?token)?|end(?:[_ -]?(?:of[_ -]?)?(?:turn|text|sequence|stream))?|pause_turn|complete|completed|done|finish|finished|success|normal|tool[_ -]?(?:use|calls?)|function[_ -]?calls?)$/i

const LENGTH =
  /^(?:length|(?:max|maximum)[_ -]?(?:output|new|completion)?[_ -]?(?:tokens?|length)|(?:model|token)[_ -]?(?:length|limit)|model_context_window_exceeded)$/i

/** Z.ai's and Zhipu's `sensitive`, Google's reasons, Bedrock's guardrails, Anthropic's refusal. */
const REFUSED =
  /sensitive|content[_ -]?filter|safety|blocklist|prohibited|spii|recitation|refus|guardrail|moderation|censor|policy|violation|risk_?control/i

export function read(reason: Reason, seen: Seen): Reason {
  const { raw } = reason
  // A call that is announced and never made would have the model asked again for ever.
  if (reason.unified === "tool-calls" && !seen.called && !seen.said && !seen.cut) return { ...reason, unified: "stop" }
  if (reason.unified === "length") return seen.cut ? { ...reason, unified: "error" } : reason
  // Behind a call some SDKs say "tool-calls" whatever the provider says.
  if (reason.unified === "tool-calls" && (raw === undefined || COMPLETE.test(raw))) return reason
  if (reason.unified !== "other" && reason.unified !== "tool-calls") return reason
  if (raw === undefined) return seen.blocked ? { unified: "content-filter", raw: seen.blocked } : reason
  if (COMPLETE.test(raw)) return { ...reason, unified: seen.called || seen.cut ? "tool-calls" : "stop" }
  if (LENGTH.test(raw)) return { ...reason, unified: seen.cut ? "error" : "length" }
  return { ...reason, unified: REFUSED.test(raw) ? "content-filter" : "error" }
}

/** Whether the provider says that the answer is whole: only then is what it could not write a call without arguments. */
export function isComplete({ unified, raw }: Reason) {
  if (unified === "stop" || unified === "tool-calls")
    return raw === undefined || COMPLETE.test(raw) || unified === "stop"
  return unified === "other" && raw !== undefined && COMPLETE.test(raw)
}

/** Why Google refuses a prompt, in an event without an answer: https://ai.google.dev/api/generate-content#BlockReason */
export function blocked(event: unknown): string | undefined {
  const { promptFeedback } = (event ?? {}) as { promptFeedback?: { blockReason?: unknown } | null }
  return typeof promptFeedback?.blockReason === "string" ? promptFeedback.blockReason : undefined
}

export * as CombinedFinish from "./finish"
