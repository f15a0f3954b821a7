/**
 * How an answer ended, if the SDK's finish reason does not tell. Pure.
 *
 * An SDK reports every unknown finish reason as "other", and upstream treats that as an answer without one. Only words
 * that mean "complete" are believed; with any other the answer is broken.
 */

/** A finish reason from the AI SDK: its own word, and the provider's. */
export type Reason = {
  readonly unified: "stop" | "length" | "content-filter" | "tool-calls" | "error" | "other"
  readonly raw: string | undefined
}

/** What the answer had before its end. */
export type Seen = {
  /** Text or reasoning came. */
  readonly said: boolean
  /** A tool was called. */
  readonly called: boolean
  /** There was a call with incomplete arguments. */
  readonly cut: boolean
  /** Why the provider refused the prompt. */
  readonly blocked: string | undefined
}

/** Words of vLLM, TGI, Together, Anthropic, Bedrock, Cohere and OpenRouter's providers, as they spell them. */
const COMPLETE =
  /^(?:stop|stopped|stop[_ -]?(?:sequence|token|word|criteria_met)|eos(?:[_ -]?token)?|end(?:[_ -]?(?:of[_ -]?)?(?:turn|text|sequence|stream))?|pause_turn|complete|completed|done|finish|finished|success|normal|tool[_ -]?(?:use|calls?)|function[_ -]?calls?)$/i

const LENGTH =
  /^(?:length|(?:max|maximum)[_ -]?(?:output|new|completion)?[_ -]?(?:tokens?|length)|(?:model|token)[_ -]?(?:length|limit)|model_context_window_exceeded)$/i

/** Z.ai's and Zhipu's `sensitive`, Google's reasons, Bedrock's guardrails, Anthropic's refusal. */
const REFUSED =
  /sensitive|content[_ -]?filter|safety|blocklist|prohibited|spii|recitation|refus|guardrail|moderation|censor|policy|violation|risk_?control/i

export function read(reason: Reason, seen: Seen): Reason {
  const { raw } = reason
  // For an announced call that is never made, the model would be asked again forever.
  if (reason.unified === "tool-calls" && !seen.called && !seen.said && !seen.cut) return { ...reason, unified: "stop" }
  if (reason.unified === "length") return seen.cut ? { ...reason, unified: "error" } : reason
  // After a call some SDKs report "tool-calls", whatever the provider says.
  if (reason.unified === "tool-calls" && (raw === undefined || COMPLETE.test(raw))) return reason
  if (reason.unified !== "other" && reason.unified !== "tool-calls") return reason
  if (raw === undefined) return seen.blocked ? { unified: "content-filter", raw: seen.blocked } : reason
  if (COMPLETE.test(raw)) return { ...reason, unified: seen.called || seen.cut ? "tool-calls" : "stop" }
  if (LENGTH.test(raw)) return { ...reason, unified: seen.cut ? "error" : "length" }
  return { ...reason, unified: REFUSED.test(raw) ? "content-filter" : "error" }
}

/** Whether the provider says that the answer is complete: only then is a call without arguments meant that way. */
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
