/**
 * One attempt at a step, as a transaction.
 *
 * When the provider of a combined model fails, the attempt is cleaned up. If it has only text, reasoning and unfinished
 * tool input, all of it is discarded. Once a tool has started, running tools finish, their results stay, and only the
 * unfinished rest is dropped. Then the session loop asks for the combined model again, gets the next member, and builds
 * the request for it from the stored history. No tool runs twice.
 *
 * ../turn/decide.ts decides what to do; this file does it. A summary is requested once, outside the loop, and has no
 * tools, so it is simply made again.
 */
import type { Permission } from "@/permission"
import type { Provider } from "@/provider/provider"
import type { LLM } from "@/session/llm"
import type { Session } from "@/session/session"
import type { SessionRetry } from "@/session/retry"
import type { SessionStatus } from "@/session/status"
import type { SessionID } from "@/session/schema"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import type { LLMEvent } from "@opencode-ai/llm"
import { Cause, Effect } from "effect"
import { CombinedAnswer } from "../choice/answer"
import { CombinedRun } from "../choice/run"
import { CombinedWaits } from "../host/waits"
import { CombinedMember } from "../member"
import { CombinedPrice } from "../money/price"
import { CombinedSpending } from "../money/spending"
import { CombinedWords } from "../money/words"
import { CombinedRoute } from "../provider/route"
import { CombinedAttempt } from "../request/attempt"
import { CombinedConclusion } from "../request/conclusion"
import { CombinedFit } from "../request/fit"
import { CombinedDecide } from "../turn/decide"
import { CombinedNotice } from "../turn/notice"
import { CombinedHappening } from "../view/happening"
import { CombinedEnd } from "./end"
import { CombinedLive } from "../host/live"
import { CombinedRetraction } from "./retraction"
import { CombinedSettlement } from "./settlement"
import { CombinedSteering } from "../host/steering"
import { CombinedTelling } from "./telling"
import { CombinedWaiting } from "./waiting"

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
  readonly permission: Permission.Interface
  readonly handleEvent: (event: LLMEvent) => Effect.Effect<void, unknown>
  /** Tells clients what happened. */
  readonly tell: (happening: CombinedHappening.Happening) => Effect.Effect<void>
  readonly parse: (error: unknown) => SessionRetry.Err
  readonly halt: (error: unknown) => Effect.Effect<void>
}

/** Upstream's name for the tool with which a model gives a structured answer. The turn ends with it. */
const STRUCTURED = "StructuredOutput"

/** Sends a request. For a combined model the answer is watched; any other request is sent unchanged. */
export function stream(_ctx: Context, input: LLM.StreamInput, send: LLM.Interface["stream"]) {
  const route = CombinedRoute.of(input.model)
  if (!route) return send(input)
  const { state } = route
  state.attempt = CombinedAttempt.make(input)
  // Tools, such as a subagent with requests of its own, may run long after the answer has ended. So what it cost is
  // settled here.
  state.attempt.gate.ends = () => {
    const bill = CombinedAttempt.bill(state.attempt)
    if (bill.reported !== undefined) Effect.runFork(CombinedSpending.settle(route, bill))
  }
  // Upstream takes a while to build the request, longer still if many turns start at once. Meanwhile the member may
  // fail elsewhere.
  state.attempt.gate.mayAsk = () => {
    const held = state.heeds ? route.held() : undefined
    return held === undefined || held.since === state.known
  }
  return CombinedAttempt.send(state.attempt, input, send)
}

/**
 * Wraps one attempt. After a failure, if another member is asked next, it ends as a success, so that the loop
 * continues.
 */
export function guard(turn: Turn) {
  return <R>(attempt: Effect.Effect<void, unknown, R>): Effect.Effect<void, unknown, R> =>
    Effect.gen(function* () {
      const { streamInput, ctx } = turn
      // A summary is requested outside the loop, where no fallback was added to its model.
      streamInput.model = yield* CombinedRoute.chained(streamInput.model, [
        streamInput.agent.name,
        streamInput.user.agent,
      ])
      ctx.model = streamInput.model
      const route = CombinedRoute.of(streamInput.model)
      return yield* route ? attend(turn, route.run ?? CombinedRun.make(), attempt) : attempt
    })
}

/** What the caller has to do: retry, or nothing. */
type Then = "again" | undefined

const attend = <R>(
  turn: Turn,
  run: CombinedRun.Run,
  attempt: Effect.Effect<void, unknown, R>,
): Effect.Effect<void, unknown, R> =>
  Effect.suspend(() => {
    const route = CombinedRoute.of(turn.streamInput.model)
    if (!route) return attempt
    route.state.attempt = undefined
    const asked = CombinedLive.during(attempt.pipe(Effect.raceFirst(watch(turn, route, run))), {
      sessionID: turn.ctx.sessionID,
      member: route.member,
      others: others(turn, route, run, CombinedLive.PASSED),
    }).pipe(
      Effect.matchCauseEffect({
        onSuccess: () => Effect.flatMap(CombinedEnd.ofAnswer(turn), (end) => conclude(turn, route, run, end)),
        onFailure: (cause) => {
          if (Cause.hasInterruptsOnly(cause)) return Effect.failCause(cause)
          if (route.state.attempt?.gate.unsent) return Effect.sync(() => reconsider(route))
          const error = Cause.squash(cause)
          if (CombinedEnd.isRefusal(error))
            return record(turn, route, { action: "cancelled" }).pipe(Effect.andThen(Effect.failCause(cause)))
          return conclude(turn, route, run, CombinedEnd.ofError(turn, route.state.attempt, error), error)
        },
      }),
      Effect.onInterrupt(() => record(turn, route, { action: "cancelled" })),
    )
    return CombinedRetraction.carry(turn.ctx, turn.session).pipe(
      Effect.andThen(begin(turn, route, run)),
      Effect.flatMap((then) => (then === "ask" ? asked : Effect.succeed(then))),
      Effect.ensuring(Effect.andThen(route.release, pay(route))),
      Effect.flatMap((then) => (then === "again" ? attend(turn, run, attempt) : Effect.void)),
      Effect.ensuring(Effect.sync(() => route.state.attempt?.controller.abort())),
    )
  })

/** Decides again whether to ask this member. If so, it is asked even if it fails elsewhere in the meantime. */
function reconsider(route: CombinedRoute.Route): Then {
  route.state.heeds = false
  route.state.attempt = undefined
  return "again"
}

/** Before the request, because the member may have become unavailable since it was chosen. */
const begin = Effect.fn("CombinedTurn.begin")(function* (turn: Turn, route: CombinedRoute.Route, run: CombinedRun.Run) {
  const purpose = purposeOf(turn)
  run.steer = yield* CombinedSteering.of(turn.session, turn.ctx.sessionID)
  const before = CombinedWaits.takenOver(turn.ctx.sessionID)
  if (before) run.answer = CombinedAnswer.resumed(before.failures, Date.now() - before.since)
  route.state.known = route.held()?.since
  const found = CombinedDecide.start(yield* CombinedFit.facts(route, run, purpose))
  switch (found.type) {
    case "ask":
      if (route.spared && purpose === "step") {
        const reason = CombinedNotice.nearlyUsed(route.spared.window, Date.now())
        yield* CombinedTelling.announce(turn, route, route.spared.member, reason, turn.streamInput.model, "here")
      }
      for (const { member, cooldown } of route.opening ?? []) {
        const other = CombinedMember.isSameModel(member, route.member) ? undefined : turn.streamInput.model.name
        const happening = CombinedHappening.leftOut(
          CombinedTelling.subject(route),
          member,
          route.member,
          cooldown,
          other,
        )
        yield* CombinedTelling.happen(turn, happening, "here")
      }
      return yield* afford(turn, route, run)
    case "wait":
      run.answer = CombinedAnswer.wait(run.answer, found)
      yield* CombinedWaiting.wait(turn, route, run, purpose, route.member, found)
      // Another member may have been back first.
      if (route.settings.wait && purpose === "step") return yield* retract(turn, route, run)
      yield* route.claim
      return yield* afford(turn, route, run)
    case "move": {
      run.answer = CombinedAnswer.rechoose(run.answer)
      if (purpose === "step") return yield* retract(turn, route, run)
      const next = yield* route.next(CombinedFit.wish(route, run, purpose))
      return yield* swap(turn, run, next.model ?? turn.streamInput.model)
    }
  }
  return yield* exhaust(turn, route, run)
})

/** Checks whether the request may cost what it does. If not, another member is chosen. */
const afford = Effect.fn("CombinedTurn.afford")(function* (
  turn: Turn,
  route: CombinedRoute.Route,
  run: CombinedRun.Run,
) {
  const { streamInput, session, permission, ctx } = turn
  const root = rootOf(session, ctx.sessionID)
  const bars = yield* CombinedSpending.admit(streamInput.model, {
    session: root,
    permission,
    rules: () => [...streamInput.agent.permission, ...(streamInput.permission ?? [])],
    tokens: () => CombinedPrice.tokensOf(streamInput.system, streamInput.messages, streamInput.tools),
    variant: route.member.how?.variant ?? streamInput.user.model.variant,
  })
  if (!bars.length) {
    const plan = yield* CombinedSpending.billed(route, root)
    if (plan) yield* CombinedTelling.say(turn, CombinedWords.billed(CombinedNotice.SWITCH, plan, route.member))
    return "ask" as const
  }
  run.answer = CombinedAnswer.bar(run.answer, bars)
  const purpose = purposeOf(turn)
  const next = yield* route.next(CombinedFit.wish(route, run, purpose))
  const facts = { purpose, answer: run.answer, wait: route.settings.wait, now: Date.now() } as const
  if (!next.model || !CombinedDecide.instead(facts, CombinedRoute.candidate(next)))
    return yield* exhaust(turn, route, run, next.type === "wait" ? next.out : [])
  return purpose === "step" ? yield* retract(turn, route, run) : yield* swap(turn, run, next.model)
})

/** The session that the user opened; this one may be a subagent's. */
const rootOf = (session: Session.Interface, id: SessionID): Effect.Effect<SessionID> =>
  Effect.suspend(() => session.get(id)).pipe(
    Effect.flatMap((found) => (found.parentID ? rootOf(session, found.parentID) : Effect.succeed(id))),
    Effect.orElseSucceed(() => id),
  )

/** Settles what the request has cost, if anything was held for it. */
const pay = (route: CombinedRoute.Route) =>
  Effect.suspend(() => CombinedSpending.settle(route, CombinedAttempt.bill(route.state.attempt)))

/** Ends an attempt that is silent for too long, if another member can answer. */
const watch = (turn: Turn, route: CombinedRoute.Route, run: CombinedRun.Run) =>
  CombinedAttempt.watch(() => route.state.attempt, route.settings, others(turn, route, run))

/**
 * Whether another member can answer now, in place of one that has ended like this or (without `end`) is still silent.
 */
const others = (turn: Turn, route: CombinedRoute.Route, run: CombinedRun.Run, end?: CombinedDecide.End) =>
  Effect.suspend(() => {
    const answer = CombinedDecide.without(run.answer, route.member, end)
    const wish = CombinedFit.wish(route, run, purposeOf(turn), answer)
    return route.others({ ...wish, open: end ? wish.open : wish.relieves })
  })

/** Cleans up an attempt that has ended, decides what to do next, and does it. */
const conclude = Effect.fn("CombinedTurn.conclude")(function* (
  turn: Turn,
  route: CombinedRoute.Route,
  run: CombinedRun.Run,
  end: CombinedDecide.End,
  error?: unknown,
) {
  const { ctx } = turn
  const purpose = purposeOf(turn)
  const attempt = route.state.attempt
  const ended: CombinedDecide.Ended = {
    purpose,
    end,
    settings: route.settings,
    answer: run.answer,
    member: route.member,
    unproven: yield* route.unproven,
    forgone: CombinedRun.forgone(run, route.member),
    started: (attempt?.calls.size ?? 0) > 0,
    others: end.kind === "whole" || (yield* others(turn, route, run, end)),
    error,
  }
  // Other requests should learn about the failure now, without waiting for this one's tools.
  const failure = CombinedDecide.cools(ended)
  if (failure) yield* route.fail(failure)
  const served = CombinedDecide.serves(ended)
  const done = served
    ? []
    : yield* CombinedSettlement.settle(turn).pipe(Effect.tapError(() => record(turn, route, { action: "cancelled" })))
  if (CombinedDecide.tooLong(ended))
    run.tooLong.set(CombinedMember.key(route.member), CombinedFit.room(turn.streamInput.model))
  const next = served
    ? undefined
    : yield* route.next(CombinedFit.wish(route, run, purpose, CombinedDecide.leave(ended)))
  const facts: CombinedDecide.Facts<CombinedRoute.Candidate> = {
    ...ended,
    next: CombinedRoute.candidate(next),
    kept: done.length,
    done:
      done.length > 0 &&
      (ctx.blocked || done.some((part) => part.tool === STRUCTURED && part.state.status === "completed")),
    full: served && ctx.needsCompaction && !(yield* CombinedFit.roomier(route, run, ctx.assistantMessage.tokens)),
    now: Date.now(),
  }
  const verdict = CombinedDecide.decide(facts)
  const answer = run.answer
  run.answer = CombinedDecide.after(facts, verdict)
  yield* record(turn, route, {
    action: CombinedDecide.actionOf(facts, verdict),
    ...(end.kind !== "whole" && !served && { failure: { kind: CombinedDecide.classOf(end), message: end.message } }),
    tools: done.length,
    ...(verdict.type === "move" && { next: verdict.to.model }),
    ...(verdict.type === "again" && { next: turn.streamInput.model }),
  })

  switch (verdict.type) {
    case "serve": {
      for (const suspect of verdict.blamed) yield* route.blame(suspect, suspect.failure)
      yield* route.succeed
      ctx.needsCompaction = verdict.compact
      if (!verdict.finish) return undefined
      const called = (yield* CombinedSettlement.stored(turn)).some((part) => part.type === "tool")
      ctx.assistantMessage.finish = called ? "tool-calls" : verdict.finish
      yield* turn.session.updateMessage(ctx.assistantMessage)
      return undefined
    }
    case "again":
      if (verdict.forgo) CombinedRun.forgo(run, route.member, verdict.forgo)
      if (verdict.keep) yield* CombinedSettlement.commit(turn)
      if (end.kind !== "whole" && !verdict.forgo) yield* CombinedTelling.repeat(turn, route, end.message, verdict.pause)
      yield* Effect.sleep(verdict.pause)
      if (purpose === "summary") return yield* swap(turn, run, turn.streamInput.model)
      return verdict.keep ? undefined : yield* retract(turn, route, run)
    case "move":
      if (verdict.keep) yield* CombinedSettlement.commit(turn)
      if (end.kind !== "whole")
        yield* CombinedTelling.announce(turn, route, route.member, end.message, verdict.to.model, "next")
      if (purpose === "summary") return yield* swap(turn, run, verdict.to.model)
      return verdict.keep ? undefined : yield* retract(turn, route, run)
    case "wait": {
      if (verdict.keep) yield* CombinedSettlement.commit(turn)
      yield* CombinedWaiting.wait(turn, route, run, purpose, verdict.member, verdict)
      if (purpose === "step") return verdict.keep ? undefined : yield* retract(turn, route, run)
      const now = yield* route.next(CombinedFit.wish(route, run, purpose))
      return yield* swap(turn, run, now.model ?? turn.streamInput.model)
    }
    case "close":
      return yield* CombinedSettlement.commit(turn)
    case "compact":
      run.tooLong.clear()
      return yield* turn.halt(CombinedEnd.overflow(turn, error))
  }
  // The error gets a message of its own. In the same message, it would remove finished tools from the history.
  const steered = yield* wishes(route, run)
  return yield* turn.halt(shown(verdict.error, facts, CombinedDecide.leave({ ...ended, answer }), route, next, steered))
})

function shown(
  which: CombinedDecide.Shown,
  facts: CombinedDecide.Facts,
  answer: CombinedAnswer.Answer,
  route: CombinedRoute.Route,
  next: CombinedRoute.Next | undefined,
  steered: string,
): unknown {
  const message = facts.end.kind === "whole" ? "" : facts.end.message
  const own = facts.error ?? new Error(message)
  if (which === "first") return answer.suspects[0]?.error ?? new Error(answer.suspects[0]?.failure.message ?? message)
  if (which === "all")
    return new Error(CombinedRoute.exhausted(route, answer, next?.type === "wait" ? next.out : []) + steered)
  return which === "too long" ? new Error(CombinedNotice.tooLong(route.id)) : own
}

/** Ends the turn, because no member may be asked for this answer any more. */
const exhaust = Effect.fn("CombinedTurn.exhaust")(function* (
  turn: Turn,
  route: CombinedRoute.Route,
  run: CombinedRun.Run,
  out: Parameters<typeof CombinedNotice.exhausted>[2] = [],
) {
  const { answer } = run
  run.answer = CombinedAnswer.FRESH
  const steered = yield* wishes(route, run)
  yield* turn.halt(new Error(CombinedRoute.exhausted(route, answer, out) + steered))
  return undefined
})

/** Further lines for an error: the members that are not asked because of the user's wishes. */
const wishes = (route: CombinedRoute.Route, run: CombinedRun.Run) =>
  Effect.map(route.ruledOut(run.steer), (members) => {
    const text = CombinedNotice.ruledOut(members, run.steer.pin)
    return text && `\n${text}`
  })

const purposeOf = (turn: Turn) => (turn.ctx.assistantMessage.summary ? "summary" : "step")

/** Marks the attempt as discarded. Its message is removed after upstream has cleaned up the attempt. */
const retract = (turn: Turn, route: CombinedRoute.Route, run: CombinedRun.Run): Effect.Effect<Then> =>
  Effect.sync(() => {
    run.retracted++
    route.state.retracted = true
    return undefined
  })

/** Makes a summary again, from messages that any member can read. */
const swap = Effect.fn("CombinedTurn.swap")(function* (turn: Turn, run: CombinedRun.Run, next: Provider.Model) {
  const route = CombinedRoute.of(next)
  const model = route ? CombinedRoute.mark(next, { ...route, forgone: CombinedRun.forgone(run, route.member) }) : next
  turn.ctx.model = model
  turn.ctx.assistantMessage.providerID = model.providerID
  turn.ctx.assistantMessage.modelID = model.id
  turn.ctx.assistantMessage.finish = undefined
  turn.streamInput.model = model
  turn.streamInput.messages = CombinedRoute.portable(turn.streamInput.messages)
  yield* turn.session.updateMessage(turn.ctx.assistantMessage)
  return "again" as const
})

/** Writes the attempt to the log, and adds its cost to its message if no end of the step will do so. */
const record = Effect.fn("CombinedTurn.record")(function* (
  turn: Turn,
  route: CombinedRoute.Route,
  conclusion: CombinedConclusion.Conclusion,
) {
  const attempt = route.state.attempt
  yield* pay(route)
  if (!attempt || attempt.logged) return
  if (!conclusion.tools) yield* CombinedRetraction.charge(turn, attempt)
  yield* CombinedConclusion.record(attempt, turn.ctx.assistantMessage, route, conclusion)
})

export * as CombinedTurn from "./turn"
