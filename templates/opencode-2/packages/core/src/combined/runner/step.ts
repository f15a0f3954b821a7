/**
 * One step of a session. It asks as many members as needed, and takes back what a failed one has said.
 *
 * The events of an answer are passed on as they come. A failed attempt ends with the defect `Again`. If it has only
 * text, thoughts and unfinished calls, the step starts again under the same message, and the message's content is
 * dropped (standing.ts). If a tool has started, upstream lets it finish, the step is closed with it, and the next step
 * goes to another member. No tool runs twice. For each attempt, upstream resolves the model (model.ts) and builds the
 * request from the stored history.
 *
 * turn/decide.ts decides what to do; this file does it.
 */
import { Cause, Effect, Pull, Stream, type Exit } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import type { SessionContext } from "../../session/context"
import { SessionEvent } from "../../session/event"
import type { SessionMessage } from "../../session/message"
import type { createLLMEventPublisher } from "../../session/runner/publish-llm-event"
import type { Snapshot } from "../../snapshot"
import { CombinedRun } from "../choice/run"
import { CombinedLive } from "../host/live"
import { CombinedPool } from "../host/pool"
import { CombinedWatch } from "../host/watch"
import { CombinedMember } from "../member"
import { CombinedDecide } from "../turn/decide"
import { CombinedNotice } from "../turn/notice"
import { CombinedHappening } from "../view/happening"
import { CombinedRunnerAttempt } from "./attempt"
import { CombinedRunnerConclusion } from "./conclusion"
import { CombinedRunnerEnd } from "./end"
import { CombinedRunnerFailure } from "./failure"
import { CombinedRunnerMembers } from "./members"
import { CombinedRunnerMoney } from "./money"
import { CombinedRunnerRoute } from "./route"
import { CombinedRunnerTelling } from "./telling"
import type { EventV2 } from "./upstream/catalog"
import {
  LLMError,
  LLMEvent,
  believed,
  isContextOverflowFailure,
  overflow,
  settled,
  stop,
  type LLMRequest,
  type ProviderErrorEvent,
} from "./upstream/llm"
import { Money, starts } from "./upstream/session"
import { CombinedRunnerWait } from "./wait"

type Route = CombinedRunnerRoute.Route
type Events = NonEmptyReadonlyArray<LLMEvent>
type Answer = Pull.Pull<Events, LLMError>
type End = CombinedDecide.End

const { failed } = CombinedRunnerFailure

type Step = {
  readonly request: LLMRequest
  readonly context: SessionContext.Loaded
  readonly number: number
  readonly publisher: ReturnType<typeof createLLMEventPublisher>
  readonly events: Pick<EventV2.Interface, "publish">
}

/** The step has to start again under the same message; or, if tools have started (`keep`), to be closed. */
class Again extends Error {
  constructor(
    readonly step: number,
    readonly answer: SessionMessage.ID | undefined,
    readonly keep: boolean,
  ) {
    super("The step is asked of another provider")
  }
}

/** Wraps the run of a session's loop. What is known about the members ends with the run. */
export const run = <Input extends { readonly sessionID: string }, A, E, R>(
  loop: (input: Input) => Effect.Effect<A, E, R>,
) => {
  return (input: Input) =>
    Effect.suspend(() => {
      const known: CombinedRunnerRoute.Run = { ...CombinedRun.make(), ...CombinedRunnerWait.resumed(input.sessionID) }
      return loop(input).pipe(Effect.provideService(CombinedRunnerRoute.Current, known))
    })
}

/** Whether this defect means that the step starts again. */
export const startsAgain = (defect: unknown): defect is Again => defect instanceof Again && !defect.keep

/**
 * Wraps the attempts at a step. `promotion` was written to the session by the first attempt and is not written again.
 */
export const attempt = <S, P, O, A, E, R>(
  once: (
    session: S,
    promotion: P | undefined,
    step: number,
    recover: O,
    message: SessionMessage.ID | undefined,
  ) => Effect.Effect<A, E, R>,
  session: S,
  promotion: P | undefined,
  step: number,
  recover: O,
  message: SessionMessage.ID | undefined,
): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const run = yield* CombinedRunnerRoute.Current
    const under = message ?? run?.message
    if (run) run.message = undefined
    return yield* once(session, promotion, step, recover, under).pipe(
      Effect.catchDefect((defect) =>
        startsAgain(defect)
          ? attempt(once, session, undefined, defect.step, recover, defect.answer ?? under)
          : Effect.die(defect),
      ),
    )
  })

/** Stores what an attempt has said so far, unless it was taken back. */
export const store = <E, R>(exit: Exit.Exit<unknown, unknown>, rest: Effect.Effect<void, E, R>) =>
  againOf(exit) ? Effect.void : rest

/** Whether an attempt has failed after tools have started: they finish, and the step is closed. */
export const closes = (exit: Exit.Exit<unknown, unknown>) => againOf(exit)?.keep === true

function againOf(exit: Exit.Exit<unknown, unknown>) {
  if (exit._tag === "Success") return undefined
  const error = Cause.squash(exit.cause)
  return error instanceof Again ? error : undefined
}

/**
 * The state of the files before a step. A step that starts again reuses that of its first attempt: no tool has run
 * since then, and asking git takes longer than the rest of a failover.
 */
export const before = <E, R>(
  { model }: SessionContext.Loaded["model"],
  capture: Effect.Effect<Snapshot.ID | undefined, E, R>,
) =>
  Effect.gen(function* () {
    const run = CombinedRunnerRoute.of(model)?.run
    const files = run?.before?.again ? run.before.files : yield* capture
    if (run) run.before = { files, again: false }
    return files
  })

/** The cost of an answer, including the discarded attempts before it. */
export function charge({ model }: SessionContext.Loaded["model"], cost: Money.USD) {
  const run = CombinedRunnerRoute.of(model)?.run
  if (!run?.owed) return cost
  const sum = Money.USD.make(cost + run.owed)
  run.owed = 0
  return sum
}

/** How a closed step is stored. Its tokens count as zero, since the failed member did not report them. */
export const CLOSED = {
  finish: "tool-calls" as const,
  tokens: { input: 0, output: 0, reasoning: 0, cache: { read: 0, write: 0 } },
}

/** Watches the answer of a member. The answer of any other model is unchanged. */
export const stream = <R>(
  answer: Stream.Stream<LLMEvent, LLMError, R>,
  step: Step,
): Stream.Stream<LLMEvent, LLMError, R> => {
  const route = CombinedRunnerRoute.of(step.context.model.model)
  if (!route) return answer
  const message = step.context.messages.findLast((item) => item.type === "user")?.id ?? ""
  const subject = { purpose: "step" as const, message, cost: step.context.model.cost }
  route.run.used = used(step.context.messages)
  const state: State = {
    attempt: CombinedRunnerAttempt.make(),
    asked: false,
    served: false,
    done: false,
    held: [],
    message: undefined,
    live: undefined,
  }
  return Stream.transformPull(CombinedRunnerAttempt.listen(state.attempt, route, answer), (pull) =>
    Effect.succeed(
      Effect.suspend((): Answer => {
        if (state.done) return Cause.done()
        if (state.served) return pull
        return Effect.andThen(begin(route, state, step), next(route, state, step, subject, pull))
      }),
    ),
  ).pipe(
    Stream.ensuring(
      Effect.sync(() => {
        CombinedPool.release(route)
        if (state.asked) CombinedRunnerAttempt.record(state.attempt, route, subject, { action: "cancelled" })
      }).pipe(
        Effect.andThen(Effect.suspend(() => state.live?.close ?? Effect.void)),
        Effect.andThen(CombinedRunnerMoney.pay(state.attempt, subject.cost)),
      ),
    ),
  )
}

/** The tokens of the conversation, according to its last answer. */
function used(messages: SessionContext.Loaded["messages"]) {
  const found = messages.findLast((message) => message.type === "assistant" && message.tokens !== undefined)
  if (found?.type !== "assistant" || !found.tokens) return undefined
  const { input, output, reasoning, cache } = found.tokens
  return input + output + reasoning + cache.read + cache.write
}

type State = {
  readonly attempt: CombinedRunnerAttempt.Attempt
  asked: boolean
  served: boolean
  /** We have ended the answer. */
  done: boolean
  /** Events that came and have not been passed on. */
  held: LLMEvent[]
  /** The message of the step, once it has been started. */
  message: SessionMessage.ID | undefined
  /** Lets a user end the attempt. */
  live: CombinedLive.Open | undefined
}

const messageOf = (step: Step, state: State) =>
  step.publisher.startAssistant().pipe(Effect.tap((id) => Effect.sync(() => (state.message = id))))

/** What happens before the request. */
const begin = (route: Route, state: State, step: Step) =>
  Effect.gen(function* () {
    if (state.asked) return
    route.run.steer = yield* route.wishes
    const waiting = CombinedNotice.waiting(route.id, route.member.providerID, "unavailable")
    const asks = yield* CombinedRunnerMembers.begin(route, "step", {
      announce: (until) => say(step, state, waiting, until),
      pause: (span) => CombinedRunnerWait.wait(route, span, { message: state.message, kept: false }),
      admit: CombinedRunnerMoney.admit(route, state.attempt, step.request),
    })
    if (!asks) yield* again(step, state, false)
    state.asked = true
    state.live = yield* CombinedLive.open(CombinedRunnerConclusion.subject(route, "step"))
    CombinedRunnerAttempt.begin(state.attempt, step.context.model.model)
  })

/** The next events to pass on. An event that may end the answer is decided on first. */
const next = (route: Route, state: State, step: Step, subject: CombinedRunnerAttempt.Subject, pull: Answer): Answer => {
  const { attempt } = state
  const act = (end: End, asIs: Answer, error?: unknown, accepted = asIs) => {
    const explained = CombinedRunnerAttempt.explained(attempt, end, route.settings.own)
    return conclude(route, state, step, subject, explained, { asIs, accepted }, error)
  }
  return Effect.gen(function* () {
    while (true) {
      const end = state.held.findIndex((event) => event.type === "step-finish" || event.type === "provider-error")
      // First pass on everything before the end, so that a call in front of it starts. If a call is incomplete, hold it
      // back too: only the end tells what that means.
      const stop = state.held.findIndex((event, at) => at === end || event.type === "tool-input-error")
      const [first, ...more] = stop < 0 ? state.held : state.held.slice(0, stop)
      if (first && attempt.opened) {
        state.held = stop < 0 ? [] : state.held.slice(stop)
        return [first, ...more] as const
      }
      const event = state.held[end]
      if (event) {
        const [one, ...rest] = state.held
        if (!one) return yield* act(endOf(route, attempt, event), pull, event)
        const accepted = Effect.succeed([believed(one), ...rest.map(believed)] as const)
        return yield* act(endOf(route, attempt, event), Effect.succeed([one, ...rest] as const), event, accepted)
      }
      attempt.pulling = performance.now()
      const events = yield* pull.pipe(
        Effect.raceFirst(CombinedRunnerConclusion.watch(route, attempt, "step")),
        Effect.raceFirst(state.live?.passed ?? Effect.never),
      )
      CombinedRunnerAttempt.note(attempt, events)
      state.held.push(...events.map((event) => CombinedRunnerAttempt.hidden(attempt, event)))
    }
  }).pipe(
    Effect.catchCause((cause): Answer => {
      const asIs = Effect.failCause(cause) as Answer
      if (state.served || Cause.hasInterruptsOnly(cause)) return asIs
      if (Pull.isDoneCause(cause)) {
        const end = CombinedRunnerEnd.unfinished(CombinedRunnerAttempt.begun(attempt))
        return act(end, Effect.fail(failed(end.message)), undefined, finish(state))
      }
      const error = Cause.squash(cause)
      if (error instanceof CombinedWatch.Silence || error instanceof CombinedLive.Passed)
        return act(error.end, Effect.fail(failed(error.message)), error)
      if (!(error instanceof LLMError) || state.attempt.logged) return asIs
      const end = CombinedRunnerEnd.read(error, route.settings.own, CombinedRunnerAttempt.begun(attempt))
      const shown = CombinedRunnerAttempt.withoutKeys(attempt, settled(error))
      return act(end, Effect.fail(shown), error, end.kind === "shortcoming" ? finish(state) : undefined)
    }),
  )
}

function endOf(route: Route, attempt: CombinedRunnerAttempt.Attempt, event: LLMEvent): End {
  if (event.type === "provider-error")
    return CombinedRunnerEnd.read(event, route.settings.own, CombinedRunnerAttempt.begun(attempt))
  return CombinedRunnerAttempt.endOf(attempt, event) ?? { kind: "whole" }
}

/** Completes an answer that lacks its end but is accepted as it is. */
const finish = (state: State): Answer =>
  Effect.sync(() => {
    const events = [...state.held, ...stop()]
    state.held = []
    state.done = true
    return events as unknown as Events
  })

/**
 * Decides what to do after an attempt has ended, and does it. `asIs` is how the answer would end without us, `accepted`
 * how it ends if it is believed to be whole.
 */
const conclude = (
  route: Route,
  state: State,
  step: Step,
  subject: CombinedRunnerAttempt.Subject,
  end: End,
  { asIs, accepted }: { readonly asIs: Answer; readonly accepted: Answer },
  error?: unknown,
): Answer =>
  Effect.gen(function* () {
    const { attempt } = state
    yield* state.live?.close ?? Effect.void
    const why = end.kind === "whole" ? "" : end.message
    const answer = attempt.opened ? yield* messageOf(step, state) : undefined
    const first = route.run.answer.suspects[0]?.failure.message
    const { verdict, left, out } = CombinedRunnerConclusion.conclude(
      route,
      attempt,
      { ...subject, ...(answer !== undefined && { answer }) },
      "step",
      end,
      error,
    )
    if (verdict.type === "serve") {
      state.served = true
      const served = { member: CombinedMember.key(route.member), created: attempt.began, completed: Date.now() }
      route.run.answers = [...(route.run.answers ?? []), served]
      return yield* accepted
    }
    yield* drop(step, state)
    const isRestart = (verdict.type === "again" || verdict.type === "move") && !verdict.keep
    if (route.run.before) route.run.before.again = isRestart
    switch (verdict.type) {
      case "again":
        if (why && !verdict.forgo)
          yield* happened(
            route,
            step,
            CombinedHappening.repeated(CombinedRunnerTelling.subject(route), route.member, why),
          )
        yield* Effect.sleep(verdict.pause)
        return yield* again(step, state, verdict.keep)
      case "move": {
        const to = { providerID: verdict.to.providerID, variant: undefined }
        const about = CombinedRunnerTelling.subject(route)
        yield* happened(route, step, CombinedHappening.moved(about, route.member, verdict.to, why))
        if (attempt.opened)
          yield* say(step, state, CombinedNotice.switched(route.member.providerID, why, to), Date.now())
        return yield* again(step, state, verdict.keep)
      }
      case "wait":
        yield* say(step, state, CombinedNotice.waiting(route.id, verdict.member.providerID, why), verdict.until)
        yield* CombinedRunnerWait.wait(route, verdict, { message: state.message, kept: verdict.keep })
        return yield* again(step, state, verdict.keep)
      case "close":
        return yield* again(step, state, true)
      case "compact":
        state.served = true
        route.run.tooLong.clear()
        return yield* overflows(error) ? asIs : Effect.fail(overflow(why))
    }
    const message = {
      this: undefined,
      first,
      all: CombinedRunnerMembers.exhausted(route, left, out),
      "too long": CombinedNotice.tooLong(route.id),
    }[verdict.error]
    state.served = true
    return yield* message === undefined ? asIs : Effect.fail(failed(message))
  })

/** Drops what the attempt has said. It has to happen now, as the next request is built from what is stored. */
const drop = (step: Step, { message }: State) =>
  Effect.suspend(() =>
    message === undefined
      ? Effect.void
      : step.events.publish(SessionEvent.Step.Started, {
          sessionID: step.context.session.id,
          agent: step.context.agent.id,
          model: step.context.model.ref,
          assistantMessageID: message,
          ...starts(),
        }),
  )

/** Ends the attempt, so that the step starts again or is closed. */
const again = (step: Step, state: State, keep: boolean) =>
  Effect.suspend(() => Effect.die(new Again(step.number, state.message, keep)))

const happened = (route: Route, { events }: Step, item: CombinedHappening.Happening) =>
  CombinedRunnerTelling.happened(events, route, item)

/** Tells the screen and clients which member takes over, and why. It is shown until the step starts again. */
const say = (step: Step, state: State, message: string, at: number) =>
  Effect.gen(function* () {
    yield* step.events.publish(SessionEvent.RetryScheduled, {
      sessionID: step.context.session.id,
      assistantMessageID: yield* messageOf(step, state),
      attempt: 1,
      at,
      error: { type: "provider.unknown", message },
    })
  })

const overflows = (error: unknown) => isContextOverflowFailure(error as LLMError | ProviderErrorEvent)

export * as CombinedRunnerStep from "./step"
