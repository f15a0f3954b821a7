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
import { SessionRetry } from "@/session/retry"
import type { SessionStatus } from "@/session/status"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { LLMEvent } from "@opencode-ai/llm"
import { Cause, Effect } from "effect"
import { CombinedAttempt } from "./attempt"
import { CombinedConclusion } from "./conclusion"
import { CombinedFailure } from "./failure"
import { CombinedOrigin } from "./origin"
import { CombinedProgress } from "./progress"
import { CombinedRequest } from "./request"
import { CombinedRetraction } from "./retraction"
import { CombinedServing } from "./serving"
import { CombinedSettlement } from "./settlement"
import { CombinedSnapshot } from "./snapshot"
import { CombinedThinking } from "./thinking"
import { CombinedVariant } from "./variant"

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

type Failure = CombinedFailure.Failure

/** Waiting for a cooldown ends by itself: a turn never waits longer than this in one go, nor more often. */
const LONGEST_WAIT = 60_000
const MOST_WAITS = 3

/** Before the same member is asked once more. Long enough for a load balancer to pick another machine. */
const PAUSE = 250

/** Upstream's name of the tool with which a model gives a structured answer; the turn ends with it. */
const STRUCTURED = "StructuredOutput"

const EMPTY = "The answer was empty"

const attempts = new WeakMap<Context, CombinedAttempt.Attempt>()

/** Sends a request. For a combined model it is watched; any other goes as it is. */
export function stream(ctx: Context, input: LLM.StreamInput, send: LLM.Interface["stream"]) {
  if (!CombinedOrigin.of(input.model)) return send(input)
  const attempt = CombinedAttempt.make(input)
  attempts.set(ctx, attempt)
  return CombinedAttempt.send(attempt, input, send)
}

/** Stands around one attempt. A failure that another member may cure ends as success, so that the loop comes round. */
export function guard(turn: Turn) {
  return <R>(attempt: Effect.Effect<void, unknown, R>): Effect.Effect<void, unknown, R> =>
    Effect.suspend(() => {
      const origin = CombinedOrigin.of(turn.streamInput.model)
      if (!origin) return attempt
      attempts.delete(turn.ctx)
      return CombinedRetraction.carry(turn.ctx, turn.session).pipe(
        Effect.andThen(attempt),
        Effect.raceFirst(CombinedAttempt.watch(() => attempts.get(turn.ctx), origin)),
        Effect.flatMap(() => accept(turn, origin)),
        Effect.catchCauseIf(
          (cause) => !Cause.hasInterruptsOnly(cause),
          (cause) => recover(turn, origin, Cause.squash(cause)),
        ),
        Effect.onInterrupt(() => record(turn, origin, { action: "cancelled" })),
        Effect.ensuring(origin.release),
        Effect.flatMap((again) => (again === "again" ? guard(turn)(attempt) : Effect.void)),
        Effect.ensuring(Effect.sync(() => attempts.get(turn.ctx)?.controller.abort())),
      )
    })
}

/**
 * A line that drops without an error (HTTP/1.1 without chunks, a proxy in between) looks like a short answer, but no
 * finish reason came; and some answers are empty. Where another member can answer, it does; the last one left is
 * believed, as upstream does, but for its first empty answer: in that nothing would be lost.
 */
const accept = Effect.fn("CombinedTurn.accept")(function* (turn: Turn, origin: CombinedOrigin.Origin) {
  const message = yield* shortcoming(turn)
  if (message && moves(origin, "network") && (isFirstEmpty(turn, message) || (yield* origin.others))) {
    const failure = { kind: "network", scope: "model", message } as const
    return yield* move(turn, origin, failure, yield* origin.fail(failure))
  }
  CombinedProgress.answered(turn.ctx.assistantMessage.parentID)
  yield* origin.succeed
  yield* record(turn, origin, { action: "served" })
  // Upstream compares with the room of the member that served; another one may have more.
  if (!turn.ctx.needsCompaction) return undefined
  const wanted = { modes: new Set<never>(), tokens: CombinedRequest.count(turn.ctx.assistantMessage.tokens) }
  if (yield* origin.find((model) => CombinedRequest.can(model, wanted))) turn.ctx.needsCompaction = false
  return undefined
})

/** What an answer that came to its end lacks. */
const shortcoming = Effect.fn("CombinedTurn.shortcoming")(function* (turn: Turn) {
  const { finish } = turn.ctx.assistantMessage
  if (finish === "unknown") return "The answer ended without a finish reason"
  if (finish !== "stop") return undefined
  const parts = yield* CombinedSettlement.stored(turn)
  if (parts.some((part) => part.type === "tool" || ((part.type === "text" || part.type === "reasoning") && part.text)))
    return undefined
  return EMPTY
})

function isFirstEmpty(turn: Turn, message: string) {
  const { parentID, providerID, modelID } = turn.ctx.assistantMessage
  const { failures } = CombinedProgress.peek(parentID)
  const given = failures.some((item) => item.member === `${providerID}/${modelID}` && item.message === EMPTY)
  return message === EMPTY && !given
}

const recover = Effect.fn("CombinedTurn.recover")(function* (
  turn: Turn,
  origin: CombinedOrigin.Origin,
  error: unknown,
) {
  const parsed = turn.parse(error)
  // Which errors mean "too long for this model" is upstream's knowledge.
  if (parsed.name === "ContextOverflowError") return yield* outgrow(turn, origin, error)
  if (forgoes(turn, error))
    return yield* repeat(turn, origin, { kind: "thinking", message: CombinedFailure.describe(error) }, 0)
  const failure =
    error instanceof CombinedAttempt.Silence
      ? error.failure
      : (CombinedFailure.classify(error, Date.now()) ?? unknown(turn, parsed))
  if (!failure) {
    yield* record(turn, origin, {
      action: "ended",
      failure: { kind: "final", message: CombinedFailure.describe(error) },
    })
    return yield* Effect.fail(error)
  }
  const again = yield* repeats(turn, origin, failure)
  if (again) {
    remember(turn, failure)
    return yield* repeat(turn, origin, failure, PAUSE)
  }
  if (moves(origin, failure.kind)) return yield* move(turn, origin, failure, yield* origin.fail(failure))
  // Upstream would ask the same provider again with the old messages, which runs finished tools twice.
  const done = yield* CombinedSettlement.settle(turn, attempts.get(turn.ctx))
  yield* record(turn, origin, { action: "ended", failure, tools: done.length })
  yield* turn.halt(error)
  return undefined
})

/** Upstream would ask the same provider again, with the old messages: after a tool has run, that runs it twice. */
function unknown(turn: Turn, parsed: SessionRetry.Err): Failure | undefined {
  const retry = SessionRetry.retryable(parsed, turn.ctx.assistantMessage.providerID)
  return retry && { kind: "server", scope: "model", message: retry.message }
}

function moves(origin: CombinedOrigin.Origin, kind: Failure["kind"]) {
  return origin.settings.kinds?.includes(kind) ?? true
}

/** A member with more room does the step, where there is one; else the conversation is compacted, as upstream does. */
const outgrow = Effect.fn("CombinedTurn.outgrow")(function* (
  turn: Turn,
  origin: CombinedOrigin.Origin,
  error: unknown,
) {
  const { parentID, summary } = turn.ctx.assistantMessage
  const room = CombinedRequest.room(turn.streamInput.model)
  const found = yield* origin.find((model) => CombinedRequest.room(model) > room)
  const failure = { kind: "too_long", message: "The conversation is too long for it" }
  if (!found) {
    yield* record(turn, origin, { action: "ended", failure })
    return yield* Effect.fail(error)
  }
  const progress = CombinedProgress.of(parentID)
  progress.outgrown = Math.max(progress.outgrown, room)
  const done = yield* CombinedSettlement.settle(turn, attempts.get(turn.ctx))
  yield* record(turn, origin, { action: "moved", failure, next: found, tools: done.length })
  yield* announce(turn, failure, found)
  if (summary) return yield* swap(turn, found)
  return done.length ? yield* commit(turn) : yield* retract(turn)
})

/** A transient failure of a member that was well is no reason to leave it, as long as nothing has been done yet. */
const repeats = Effect.fn("CombinedTurn.repeats")(function* (
  turn: Turn,
  origin: CombinedOrigin.Origin,
  failure: Failure,
) {
  if (!CombinedFailure.passes(failure) || attempts.get(turn.ctx)?.calls.size || (yield* origin.unproven)) return false
  const { parentID, providerID } = turn.ctx.assistantMessage
  const before = CombinedProgress.peek(parentID).failures.filter((item) => item.provider === providerID)
  return before.length + 1 < origin.settings.maxAttempts
})

/** A member that refused the thinking of another one is asked again, once, without it. */
function forgoes(turn: Turn, error: unknown) {
  const { parentID, providerID, modelID, summary } = turn.ctx.assistantMessage
  const member = `${providerID}/${modelID}`
  if (summary || !CombinedThinking.isRefusal(CombinedFailure.describe(error))) return false
  const { unthinking } = CombinedProgress.of(parentID)
  return !unthinking.has(member) && !!unthinking.add(member)
}

const repeat = Effect.fn("CombinedTurn.repeat")(function* (
  turn: Turn,
  origin: CombinedOrigin.Origin,
  failure: { readonly kind: string; readonly message: string },
  pause: number,
) {
  yield* CombinedSettlement.settle(turn, attempts.get(turn.ctx))
  yield* record(turn, origin, { action: "repeated", failure, next: turn.streamInput.model })
  yield* Effect.sleep(pause)
  return turn.ctx.assistantMessage.summary ? ("again" as const) : yield* retract(turn)
})

/** Settles the failed attempt and makes way for the next member. Tells whether the attempt is to be made again here. */
const move = Effect.fn("CombinedTurn.move")(function* (
  turn: Turn,
  origin: CombinedOrigin.Origin,
  failure: Failure,
  next: CombinedOrigin.Next,
) {
  const message = turn.ctx.assistantMessage
  const done = yield* CombinedSettlement.settle(turn, attempts.get(turn.ctx))
  const progress = remember(turn, failure)
  const given = done.some((part) => part.tool === STRUCTURED && part.state.status === "completed")
  const wait = next.type === "wait" ? Math.max(0, next.out[0].cooldown.until - Date.now()) : 0
  const lasts = wait > LONGEST_WAIT || progress.waits >= MOST_WAITS
  const stays = turn.ctx.blocked || given || (next.type === "wait" && lasts)
  yield* record(turn, origin, {
    action: stays ? "ended" : next.type === "wait" ? "waited" : "moved",
    failure,
    tools: done.length,
    ...(next.type === "serve" && !stays && { next: next.model }),
  })
  if (done.length) yield* commit(turn)
  // The user has refused a tool meanwhile, or the answer has been given: either ends the turn.
  if (turn.ctx.blocked || given) return undefined

  if (next.type === "serve") yield* announce(turn, failure, next.model)
  if (next.type === "wait") {
    const [{ member, cooldown }] = next.out
    if (lasts) {
      yield* turn.halt(new Error(CombinedProgress.exhausted(origin.id, progress.failures, next)))
      CombinedProgress.answered(message.parentID)
      return undefined
    }
    progress.waits++
    yield* turn.status.set(turn.ctx.sessionID, {
      type: "retry",
      attempt: progress.waits,
      message: `${CombinedServing.SWITCH}all providers of ${origin.id} are out, ${member.providerID} is the first to return: ${cooldown.message}`,
      next: cooldown.until,
    })
    yield* Effect.sleep(wait)
  }

  if (message.summary) {
    const now = next.type === "serve" ? next : yield* origin.next
    return yield* swap(turn, now.type === "serve" ? now.model : turn.streamInput.model)
  }
  return done.length ? undefined : yield* retract(turn)
})

/** Closes a step whose tools are done: the loop goes on with their results. */
const commit = Effect.fn("CombinedTurn.commit")(function* (turn: Turn) {
  const message = turn.ctx.assistantMessage
  if (!message.finish) {
    yield* turn.handleEvent(LLMEvent.stepFinish({ index: 0, reason: "tool-calls" }))
    const end = (yield* CombinedSettlement.stored(turn)).findLast((part) => part.type === "step-finish")
    CombinedSnapshot.keep(message.sessionID, end?.snapshot, Date.now())
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

const record = (turn: Turn, origin: CombinedOrigin.Origin, conclusion: CombinedConclusion.Conclusion) =>
  Effect.suspend(() => CombinedConclusion.record(attempts.get(turn.ctx), turn.ctx.assistantMessage, origin, conclusion))

/** Says on the screen, in `opencode run` and to whoever follows the server's events who goes on, and why. */
const announce = (turn: Turn, failure: { readonly message: string }, next: Provider.Model) =>
  turn.status.set(turn.ctx.sessionID, {
    type: "retry",
    attempt: 1,
    message: CombinedServing.switched(turn.ctx.assistantMessage.providerID, failure.message, {
      providerID: next.providerID,
      variant: CombinedVariant.lost(turn.streamInput.user.model.variant, next.variants),
    }),
    next: Date.now(),
  })

/** A summary is asked for once and outside the loop, and it has no tools: it is made again in place. */
const swap = Effect.fn("CombinedTurn.swap")(function* (turn: Turn, model: Provider.Model) {
  turn.ctx.model = model
  turn.ctx.assistantMessage.providerID = model.providerID
  turn.ctx.assistantMessage.modelID = model.id
  turn.ctx.assistantMessage.finish = undefined
  turn.streamInput.model = model
  turn.streamInput.messages = CombinedOrigin.portable(turn.streamInput.messages)
  yield* turn.session.updateMessage(turn.ctx.assistantMessage)
  return "again" as const
})

function remember(turn: Turn, failure: Failure) {
  const { parentID, providerID, modelID } = turn.ctx.assistantMessage
  const record = CombinedProgress.of(parentID)
  record.failures.push({ provider: providerID, member: `${providerID}/${modelID}`, message: failure.message })
  return record
}

export * as CombinedTurn from "./turn"
