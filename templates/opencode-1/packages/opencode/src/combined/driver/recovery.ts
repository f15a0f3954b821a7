/**
 * What becomes of an attempt that failed: asked again in place, moved to the next member, or ended with its error. Each
 * settles what the attempt had begun first.
 */
import type { Provider } from "@/provider/provider"
import { SessionRetry } from "@/session/retry"
import { LLMEvent, isContextOverflow } from "@opencode-ai/llm"
import { Effect } from "effect"
import { CombinedAttempt } from "../request/attempt"
import { CombinedConclusion } from "../request/conclusion"
import { CombinedFailure } from "../failure/classify"
import { CombinedRoute } from "../provider/route"
import { CombinedProgress } from "./progress"
import { CombinedFit } from "../request/fit"
import { CombinedRetraction } from "./retraction"
import { CombinedNotice } from "../turn/notice"
import { CombinedSettlement } from "./settlement"
import { CombinedThinking } from "../history/thinking"
import type { Turn } from "./turn"
import { CombinedVariant } from "../choice/variant"
import { CombinedWaiting } from "./waiting"
import { CombinedMember } from "../member"

type Failure = CombinedFailure.Failure

/** Before the same member is asked once more. Long enough for a load balancer to pick another machine. */
const PAUSE = 250

/** Upstream's name of the tool with which a model gives a structured answer; the turn ends with it. */
const STRUCTURED = "StructuredOutput"

/** What a failed attempt comes to: the error, the next member, or the same one again. */
export const recover = Effect.fn("CombinedRecovery.recover")(function* (
  turn: Turn,
  origin: CombinedRoute.Origin,
  error: unknown,
) {
  const parsed = turn.parse(error)
  const inside = CombinedAttempt.of(turn.ctx)?.gate.failed
  const known =
    error instanceof CombinedAttempt.Silence ? error.failure : CombinedFailure.classify(error, Date.now(), inside)
  // More than a member grants a minute is too long for it alone, as long as another one can answer.
  const granted = known?.kind === "rate_limit" && (yield* origin.others(CombinedFit.wish(origin.wish, parentOf(turn))))
  const excess = granted ? undefined : overflow(parsed, error, inside !== undefined)
  if (excess) return yield* outgrow(turn, origin, excess)
  if (forgoes(turn, error))
    return yield* repeat(turn, origin, { kind: "thinking", message: CombinedFailure.describe(error) }, 0)
  if (error instanceof CombinedAttempt.Silence) CombinedProgress.of(parentOf(turn)).silent.add(member(turn))
  const failure = known ?? unknown(turn, parsed)
  if (!failure) {
    const final = { kind: "final", message: CombinedFailure.describe(error) }
    if (yield* end(turn, origin, final)) return undefined
    return yield* Effect.fail(error)
  }
  const again = yield* repeats(turn, origin, failure)
  if (again) {
    remember(turn, failure)
    return yield* repeat(turn, origin, failure, PAUSE)
  }
  if (moves(origin, failure.kind)) return yield* move(turn, origin, failure)
  // Upstream would ask the same provider again with the old messages, which runs finished tools twice.
  if (!(yield* end(turn, origin, failure))) yield* turn.halt(error)
  return undefined
})

/**
 * Settles an attempt that nobody is asked to make again. Upstream leaves a message with an error out of the history, and
 * with it finished tools, which would be run again: where there are any the turn goes on with the next step instead
 * (true), and ends there if the failure lasts.
 */
const end = Effect.fn("CombinedRecovery.end")(function* (
  turn: Turn,
  origin: CombinedRoute.Origin,
  failure: { readonly kind: string; readonly message: string },
) {
  const done = CombinedAttempt.of(turn.ctx)?.calls.size ? yield* CombinedSettlement.settle(turn) : []
  const goesOn = done.length > 0
  yield* record(turn, origin, { action: goesOn ? "repeated" : "ended", failure, tools: done.length })
  if (goesOn) yield* commit(turn)
  return goesOn
})

const parentOf = (turn: Turn) => turn.ctx.assistantMessage.parentID

const member = ({ ctx }: Turn) => CombinedMember.key(ctx.assistantMessage)

/**
 * The error, as upstream reads it, of a conversation that is too long. Which words say so is upstream's knowledge, but it
 * does not look for them in events inside an answer.
 */
function overflow(parsed: SessionRetry.Err, error: unknown, inside: boolean) {
  if (parsed.name === "ContextOverflowError") return error
  const message = CombinedFailure.describe(error)
  if (!inside || !isContextOverflow(message)) return undefined
  return { type: "error", error: { code: "context_length_exceeded", message } }
}

/** Upstream would ask the same provider again, with the old messages: after a tool has run, that runs it twice. */
function unknown(turn: Turn, parsed: SessionRetry.Err): Failure | undefined {
  const retry = SessionRetry.retryable(parsed, turn.ctx.assistantMessage.providerID)
  return retry && { kind: "server", scope: "model", message: retry.message }
}

/** Whether a failure of this kind is one that another member is asked for. */
export function moves(origin: CombinedRoute.Origin, kind: Failure["kind"]) {
  return origin.settings.kinds?.includes(kind) ?? true
}

/** A member with more room does the step, where there is one; else the conversation is compacted, as upstream does. */
const outgrow = Effect.fn("CombinedRecovery.outgrow")(function* (
  turn: Turn,
  origin: CombinedRoute.Origin,
  error: unknown,
) {
  const { parentID, summary } = turn.ctx.assistantMessage
  const room = CombinedFit.room(turn.streamInput.model)
  const found = yield* origin.find((model) => CombinedFit.room(model) > room)
  const failure = { kind: "too_long", message: "The conversation is too long for it" }
  if (!found) {
    yield* record(turn, origin, { action: "ended", failure })
    return yield* Effect.fail(error)
  }
  const progress = CombinedProgress.of(parentID)
  progress.outgrown = Math.max(progress.outgrown, room)
  const done = yield* CombinedSettlement.settle(turn)
  yield* record(turn, origin, { action: "moved", failure, next: found, tools: done.length })
  yield* announce(turn, failure, found)
  if (summary) return yield* swap(turn, found)
  return done.length ? yield* commit(turn) : yield* retract(turn)
})

/** A transient failure of a member that was well is no reason to leave it, as long as nothing has been done yet. */
const repeats = Effect.fn("CombinedRecovery.repeats")(function* (
  turn: Turn,
  origin: CombinedRoute.Origin,
  failure: Failure,
) {
  if (!CombinedFailure.passes(failure) || CombinedAttempt.of(turn.ctx)?.calls.size || (yield* origin.unproven))
    return false
  const { parentID, providerID } = turn.ctx.assistantMessage
  const before = CombinedProgress.peek(parentID).failures.filter((item) => item.provider === providerID)
  return before.length + 1 < origin.settings.maxAttempts
})

/** A member that refused the thinking of another one is asked again, once, without it. */
function forgoes(turn: Turn, error: unknown) {
  if (turn.ctx.assistantMessage.summary || !CombinedThinking.isRefusal(CombinedFailure.describe(error))) return false
  const { unthinking } = CombinedProgress.of(parentOf(turn))
  return !unthinking.has(member(turn)) && !!unthinking.add(member(turn))
}

const repeat = Effect.fn("CombinedRecovery.repeat")(function* (
  turn: Turn,
  origin: CombinedRoute.Origin,
  failure: { readonly kind: string; readonly message: string },
  pause: number,
) {
  yield* CombinedSettlement.settle(turn)
  yield* record(turn, origin, { action: "repeated", failure, next: turn.streamInput.model })
  yield* Effect.sleep(pause)
  return turn.ctx.assistantMessage.summary ? ("again" as const) : yield* retract(turn)
})

/** Settles the failed attempt and makes way for the next member. Tells whether the attempt is to be made again here. */
export const move = Effect.fn("CombinedRecovery.move")(function* (
  turn: Turn,
  origin: CombinedRoute.Origin,
  failure: Failure,
) {
  const message = turn.ctx.assistantMessage
  // Other requests must not wait for this one's tools to learn of it.
  yield* origin.fail(failure)
  const done = yield* CombinedSettlement.settle(turn)
  const progress = remember(turn, failure)
  progress.left.set(member(turn), (progress.left.get(member(turn)) ?? 0) + 1)
  const wish = () => CombinedFit.wish(origin.wish, message.parentID)
  const next = yield* origin.next(wish())
  const given = done.some((part) => part.tool === STRUCTURED && part.state.status === "completed")
  const wait = next.type === "wait" ? CombinedWaiting.span(next.out[0], message.parentID) : undefined
  const out = next.type === "wait" && wait === undefined
  const stays = turn.ctx.blocked || given || (out && !done.length)
  yield* record(turn, origin, {
    action: stays ? "ended" : next.type === "serve" ? "moved" : out ? "repeated" : "waited",
    failure,
    tools: done.length,
    ...(next.type === "serve" && !stays && { next: next.model }),
  })
  if (done.length) yield* commit(turn)
  // The user has refused a tool meanwhile, or the answer has been given: either ends the turn.
  if (turn.ctx.blocked || given) return undefined

  if (next.type === "serve") yield* announce(turn, failure, next.model)
  if (next.type === "wait" && wait !== undefined) yield* CombinedWaiting.wait(turn, origin, next.out[0], wait)
  // What is said of the end stands on a message of its own: beside an error, finished tools would leave the history.
  if (out && !done.length) {
    yield* turn.halt(new Error(CombinedProgress.exhausted(origin.id, progress.failures, next)))
    CombinedProgress.answered(message.parentID)
    return undefined
  }

  if (message.summary) {
    const now = next.type === "serve" ? next : yield* origin.next(wish())
    return yield* swap(turn, now.model ?? turn.streamInput.model)
  }
  return done.length ? undefined : yield* retract(turn)
})

/** Closes a step whose tools are done: the loop goes on with their results. */
const commit = Effect.fn("CombinedRecovery.commit")(function* (turn: Turn) {
  const message = turn.ctx.assistantMessage
  if (!message.finish) {
    const usage = CombinedAttempt.of(turn.ctx)?.gate.reported
    yield* turn.handleEvent(LLMEvent.stepFinish({ index: 0, reason: "tool-calls", usage }))
    // Whether the conversation must be compacted is asked for the member of the next step, before it.
    turn.ctx.needsCompaction = false
  }
  message.finish = "tool-calls"
  return undefined
})

/** The message goes once upstream has cleaned up after the attempt. */
const retract = (turn: Turn) =>
  Effect.sync(() => {
    CombinedProgress.of(turn.ctx.assistantMessage.parentID).retracted++
    CombinedRetraction.begin(turn.ctx)
    return undefined
  })

/** Concludes the attempt in the log, and puts what it has cost on its message where no end of the step will do so. */
export const record = Effect.fn("CombinedRecovery.record")(function* (
  turn: Turn,
  origin: CombinedRoute.Origin,
  conclusion: CombinedConclusion.Conclusion,
) {
  const attempt = CombinedAttempt.of(turn.ctx)
  if (!attempt || attempt.logged) return
  if (!conclusion.tools) yield* CombinedRetraction.charge(turn, attempt)
  yield* CombinedConclusion.record(attempt, turn.ctx.assistantMessage, origin, conclusion)
})

/** Says on the screen, in `opencode run` and to whoever follows the server's events who goes on, and why. */
const announce = (turn: Turn, failure: { readonly message: string }, next: Provider.Model) =>
  turn.status.set(turn.ctx.sessionID, {
    type: "retry",
    attempt: 1,
    message: CombinedNotice.switched(turn.ctx.assistantMessage.providerID, failure.message, {
      providerID: next.providerID,
      variant: CombinedVariant.lost(turn.streamInput.user.model.variant, CombinedRoute.of(next)?.variants),
    }),
    next: Date.now(),
  })

/** A summary is asked for once and outside the loop, and it has no tools: it is made again in place. */
const swap = Effect.fn("CombinedRecovery.swap")(function* (turn: Turn, model: Provider.Model) {
  turn.ctx.model = model
  turn.ctx.assistantMessage.providerID = model.providerID
  turn.ctx.assistantMessage.modelID = model.id
  turn.ctx.assistantMessage.finish = undefined
  turn.streamInput.model = model
  turn.streamInput.messages = CombinedRoute.portable(turn.streamInput.messages)
  yield* turn.session.updateMessage(turn.ctx.assistantMessage)
  return "again" as const
})

function remember(turn: Turn, failure: Failure) {
  const record = CombinedProgress.of(parentOf(turn))
  record.failures.push({
    provider: turn.ctx.assistantMessage.providerID,
    member: member(turn),
    message: failure.message,
  })
  return record
}

export * as CombinedRecovery from "./recovery"
