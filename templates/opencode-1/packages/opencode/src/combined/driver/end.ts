/** How an attempt ended, in the form that decides what to do next. */
import { SessionRetry } from "@/session/retry"
import { isContextOverflow } from "@opencode-ai/llm"
import { Effect } from "effect"
import { CombinedFailure } from "../failure/classify"
import { CombinedWatch } from "../host/watch"
import { CombinedRoute } from "../provider/route"
import { CombinedAttempt } from "../request/attempt"
import type { CombinedDecide } from "../turn/decide"
import { CombinedLive } from "../host/live"
import { CombinedSettlement } from "./settlement"
import type { Turn } from "./turn"

/**
 * Reads an error. Upstream knows the words for a conversation that is too long, but does not look for them in events
 * inside an answer.
 */
export function ofError(turn: Turn, attempt: CombinedAttempt.Attempt | undefined, error: unknown): CombinedDecide.End {
  if (error instanceof CombinedWatch.Silence || error instanceof CombinedLive.Passed) return error.end
  const parsed = turn.parse(error)
  const inside = attempt?.gate.failed
  const overflow =
    parsed.name === "ContextOverflowError" ||
    (inside !== undefined && isContextOverflow(CombinedFailure.describe(error)))
  const own = CombinedRoute.of(turn.streamInput.model)?.settings.own
  const fault = CombinedFailure.fault(error, Date.now(), { inside, overflow, own })
  if (fault.kind === "too_long") return { ...fault, message: "The conversation is too long for it" }
  if (fault.kind !== "unknown") return fault
  // Upstream knows some transient failures that we do not. It would ask the same provider again, with the old messages.
  const retry = SessionRetry.retryable(parsed, turn.ctx.assistantMessage.providerID)
  return retry ? { kind: "server", scope: "model", message: retry.message } : fault
}

/** Reads how an answer ended. A connection that drops without an error looks like a short answer. */
export const ofAnswer = Effect.fn("CombinedEnd.ofAnswer")(function* (turn: Turn) {
  const { finish } = turn.ctx.assistantMessage
  const gate = CombinedAttempt.of(turn.streamInput.model)?.gate
  const ending = gate?.ending === undefined ? "" : ` (${gate.ending})`
  if (gate?.garbled) return { kind: "server", scope: "model", message: `The call of ${gate.cut} is not whole` } as const
  if (gate?.cut) {
    const message = `The answer ended in the middle of a call of ${gate.cut}${ending}`
    if (finish === "unknown") return { kind: "network", scope: "model", message } as const
    return lacking("call", message)
  }
  // Upstream stores this as an answer, and newer releases then say that the model refused.
  if (finish === "content-filter")
    return { kind: "final", refusal: "answer", message: `The model refused to answer${ending}` } as const
  // The provider cut the answer off, but no event says why: Gemini's MALFORMED_FUNCTION_CALL, or `network_error`.
  if (finish === "error") return { kind: "server", scope: "model", message: `The answer broke off${ending}` } as const
  if (finish !== "stop" && finish !== "unknown") return { kind: "whole" } as const
  const parts = yield* CombinedSettlement.stored(turn)
  const some = parts.some(
    (part) => part.type === "tool" || ((part.type === "text" || part.type === "reasoning") && part.text),
  )
  if (finish === "unknown")
    return some
      ? lacking("finish", "The answer ended without a finish reason")
      : lacking("all", "The answer ended before it began")
  return some ? ({ kind: "whole" } as const) : lacking("content", "The answer was empty")
})

/**
 * Errors that mean that the user, or one of their rules, said no: raised by a tool, or by the question whether a loop
 * should continue.
 */
const REFUSALS = [
  "PermissionRejectedError",
  "PermissionCorrectedError",
  "PermissionDeniedError",
  "QuestionRejectedError",
] as const

/** Whether the user has ended the turn. Like a cancel, this says nothing about the provider. */
export function isRefusal(error: unknown) {
  return REFUSALS.some((tag) => typeof error === "object" && error !== null && "_tag" in error && error._tag === tag)
}

const lacking = (lacks: CombinedDecide.Shortcoming["lacks"], message: string): CombinedDecide.Shortcoming => ({
  kind: "shortcoming",
  lacks,
  message,
})

/** An error that upstream reads as "the conversation is too long", whatever the provider called it. */
export function overflow(turn: Turn, error: unknown) {
  if (turn.parse(error).name === "ContextOverflowError") return error
  const message = CombinedFailure.describe(error)
  return { type: "error", error: { code: "context_length_exceeded", message } }
}

export * as CombinedEnd from "./end"
