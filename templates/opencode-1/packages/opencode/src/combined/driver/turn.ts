/**
 * One attempt at a step, as a transaction.
 *
 * When the provider of a combined model fails, what it had begun is settled: with nothing but text, reasoning and
 * unfinished tool input, all of it is taken back; once a tool has started, running tools come to their end, their
 * results stay, and only the unfinished tail is dropped. The session loop then comes round, asks for the combined model
 * again, gets the next member and builds the request for it from the stored history. No tool runs twice.
 */
import type { Provider } from "@/provider/provider"
import type { LLM } from "@/session/llm"
import type { Session } from "@/session/session"
import type { SessionRetry } from "@/session/retry"
import type { SessionStatus } from "@/session/status"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import type { LLMEvent } from "@opencode-ai/llm"
import { Cause, Effect } from "effect"
import { CombinedAttempt } from "../request/attempt"
import { CombinedRoute } from "../provider/route"
import { CombinedProgress } from "./progress"
import { CombinedRecovery } from "./recovery"
import { CombinedFit } from "../request/fit"
import { CombinedRetraction } from "./retraction"
import { CombinedSettlement } from "./settlement"
import { CombinedWaiting } from "./waiting"
import { CombinedMember } from "../member"

/** The part of the processor's state that an attempt changes. */
type Context = {
  readonly sessionID: SessionV1.Assistant["sessionID"]
  assistantMessage: SessionV1.Assistant
  model: Provider.Model
  toolcalls: Record<string, unknown>
  snapshot: string | undefined
  blocked: boolean
  needsCompaction: boolean
  currentText: SessionV1.TextPart | undefined
  reasoningMap: Record<string, SessionV1.ReasoningPart>
}

export type Turn = {
  readonly ctx: Context
  readonly streamInput: LLM.StreamInput
  readonly session: Session.Interface
  readonly status: SessionStatus.Interface
  readonly handleEvent: (event: LLMEvent) => Effect.Effect<void, unknown>
  readonly parse: (error: unknown) => SessionRetry.Err
  readonly halt: (error: unknown) => Effect.Effect<void>
}

const EMPTY = "The answer was empty"

/** Sends a request. For a combined model it is watched; any other goes as it is. */
export function stream(ctx: Context, input: LLM.StreamInput, send: LLM.Interface["stream"]) {
  if (!CombinedRoute.of(input.model)) return send(input)
  return CombinedAttempt.send(CombinedAttempt.begin(ctx, input), input, send)
}

/** Stands around one attempt. A failure that another member may cure ends as success, so that the loop comes round. */
export function guard(turn: Turn) {
  return <R>(attempt: Effect.Effect<void, unknown, R>): Effect.Effect<void, unknown, R> =>
    Effect.suspend(() => {
      const origin = CombinedRoute.of(turn.streamInput.model)
      if (!origin) return attempt
      CombinedAttempt.forget(turn.ctx)
      return CombinedRetraction.carry(turn.ctx, turn.session).pipe(
        Effect.andThen(CombinedWaiting.begin(turn, origin, others(turn, origin))),
        Effect.andThen(attempt),
        Effect.raceFirst(watch(turn, origin)),
        Effect.flatMap(() => accept(turn, origin)),
        Effect.catchCauseIf(
          (cause) => !Cause.hasInterruptsOnly(cause),
          (cause) => CombinedRecovery.recover(turn, origin, Cause.squash(cause)),
        ),
        Effect.onInterrupt(() => CombinedRecovery.record(turn, origin, { action: "cancelled" })),
        Effect.ensuring(origin.release),
        Effect.flatMap((again) => (again === "again" ? guard(turn)(attempt) : Effect.void)),
        Effect.ensuring(Effect.sync(() => CombinedAttempt.of(turn.ctx)?.controller.abort())),
      )
    })
}

/** Ends an attempt that is silent for too long, if that is a failure that moves on and another member can answer. */
const watch = (turn: Turn, origin: CombinedRoute.Origin) => {
  if (!CombinedRecovery.moves(origin, "timeout")) return Effect.never
  return CombinedAttempt.watch(
    () => CombinedAttempt.of(turn.ctx),
    origin,
    () => others(turn, origin, true),
  )
}

/** Whether another member can answer now. One that was silent as well is no reason to cut this one short. */
function others(turn: Turn, origin: CombinedRoute.Origin, silent = false) {
  const { parentID } = turn.ctx.assistantMessage
  const wish = CombinedFit.wish(origin.wish, parentID)
  const left = (member: CombinedMember.Member) => {
    const known = CombinedProgress.peek(parentID).silent.has(CombinedMember.key(member))
    return silent && known ? Infinity : (wish.left?.(member) ?? 0)
  }
  return origin.others({ ...wish, left })
}

/**
 * A line that drops without an error (HTTP/1.1 without chunks, a proxy in between) looks like a short answer, but no
 * finish reason came; and some answers are empty. Where another member can answer, it does; the last one left is
 * believed, as upstream does, but only the second time: most lines drop once, and half an answer would be lost text.
 */
const accept = Effect.fn("CombinedTurn.accept")(function* (turn: Turn, origin: CombinedRoute.Origin) {
  const message = yield* shortcoming(turn)
  if (
    message &&
    CombinedRecovery.moves(origin, "network") &&
    (isFirst(turn, message) || (yield* others(turn, origin)))
  ) {
    const failure = { kind: "network", scope: "model", message } as const
    return yield* CombinedRecovery.move(turn, origin, failure)
  }
  CombinedProgress.answered(turn.ctx.assistantMessage.parentID)
  yield* origin.succeed
  yield* CombinedRecovery.record(turn, origin, { action: "served" })
  // Upstream compares with the room of the member that served; another one may have more.
  if (!turn.ctx.needsCompaction) return undefined
  const wanted = { modes: new Set<never>(), tokens: CombinedFit.count(turn.ctx.assistantMessage.tokens) }
  if (yield* origin.find((model) => CombinedFit.can(model, wanted))) turn.ctx.needsCompaction = false
  return undefined
})

/** What an answer that came to its end lacks. */
const shortcoming = Effect.fn("CombinedTurn.shortcoming")(function* (turn: Turn) {
  const { finish } = turn.ctx.assistantMessage
  if (finish === "unknown") return "The answer ended without a finish reason"
  if (finish !== "stop" && finish !== "error") return undefined
  const parts = yield* CombinedSettlement.stored(turn)
  if (!parts.some((part) => part.type === "tool" || ((part.type === "text" || part.type === "reasoning") && part.text)))
    return EMPTY
  // The provider broke the answer off, but no event says why: Gemini's MALFORMED_FUNCTION_CALL.
  return finish === "error" ? "The answer ended with an error" : undefined
})

/** Whether the member has not given such an answer before, and there is time to ask again. */
function isFirst(turn: Turn, message: string) {
  const { parentID, providerID, modelID } = turn.ctx.assistantMessage
  const { failures } = CombinedProgress.peek(parentID)
  const member = CombinedMember.key({ providerID, modelID })
  const given = failures.some((item) => item.member === member && item.message === message)
  return !given && CombinedWaiting.patience(parentID) > 0
}

export * as CombinedTurn from "./turn"
