/**
 * How an answer ended, if the SDK's finish reason does not tell. Pure.
 *
 * An SDK reports every unknown finish reason as "other", which upstream treats like a missing one. Only words that mean
 * "complete" are believed; with any other word the answer is broken.
 */
import { table } from "./table"

/** A finish reason from the AI SDK: the SDK's word and the provider's own. */
export type Reason = {
  readonly unified: "stop" | "length" | "content-filter" | "tool-calls" | "error" | "other"
  readonly raw: string | undefined
}

/** What the answer contained before its end. */
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

/** What a word of the provider's means; undefined if it means a broken answer. */
function meaning(raw: string) {
  return endings.find((ending) => ending.says.test(raw))?.means
}

const endings = table.endings.map(({ means, whole, words }) => ({
  means,
  says: new RegExp(whole ? `^(?:${words})$` : words, "i"),
}))

export function read(reason: Reason, seen: Seen): Reason {
  const { raw } = reason
  // The answer announces a call but has none. Upstream would ask the model again, forever.
  if (reason.unified === "tool-calls" && !seen.called && !seen.said && !seen.cut) return { ...reason, unified: "stop" }
  if (reason.unified === "length") return seen.cut ? { ...reason, unified: "error" } : reason
  // After a call, some SDKs say "tool-calls" whatever the provider says.
  if (reason.unified === "tool-calls" && (raw === undefined || meaning(raw) === "stop")) return reason
  if (reason.unified !== "other" && reason.unified !== "tool-calls") return reason
  if (raw === undefined) return seen.blocked ? { unified: "content-filter", raw: seen.blocked } : reason
  const means = meaning(raw)
  if (means === "stop") return { ...reason, unified: seen.called || seen.cut ? "tool-calls" : "stop" }
  if (means === "length") return { ...reason, unified: seen.cut ? "error" : "length" }
  return { ...reason, unified: means ?? "error" }
}

/** Whether the provider says that the answer is complete. Only then is a call without arguments intended. */
export function isComplete({ unified, raw }: Reason) {
  if (unified === "stop" || unified === "tool-calls")
    return raw === undefined || meaning(raw) === "stop" || unified === "stop"
  return unified === "other" && raw !== undefined && meaning(raw) === "stop"
}

/**
 * Google's reason for refusing a prompt, in an event without an answer:
 * https://ai.google.dev/api/generate-content#BlockReason
 */
export function blocked(event: unknown): string | undefined {
  const { promptFeedback } = (event ?? {}) as { promptFeedback?: { blockReason?: unknown } | null }
  return typeof promptFeedback?.blockReason === "string" ? promptFeedback.blockReason : undefined
}

export * as CombinedFinish from "./finish"
