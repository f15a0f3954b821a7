/**
 * One step of the new session runner. It asks as many members as needed, as long as there is no output.
 *
 * The transcript is a log of events, and nothing can be removed from it. So the events of an answer are held until the
 * first one with content. An attempt that fails before that does not become part of the session: the step starts again,
 * upstream resolves the model again (model.ts) and builds the request for that member from the stored history. A later
 * failure ends the turn as it would without us, and starts the member's cooldown.
 */
import { LLMError, type LLMEvent, type LLMRequest } from "@opencode-ai/llm"
import { Cause, Effect, Pull, Stream } from "effect"
import type { NonEmptyReadonlyArray } from "effect/Array"
import { CombinedAnswer } from "../choice/answer"
import { CombinedRun } from "../choice/run"
import { CombinedFailure } from "../failure/classify"
import { CombinedPool } from "../host/pool"
import { CombinedWatch } from "../host/watch"
import { CombinedMember } from "../member"
import { CombinedDecide } from "../turn/decide"
import { CombinedRunnerFailure } from "./failure"
import { CombinedRunnerMembers } from "./members"
import { CombinedRunnerRoute } from "./route"

type Route = CombinedRunnerRoute.Route
type Events = NonEmptyReadonlyArray<LLMEvent>
type Answer = Pull.Pull<Events, LLMError>

const { failed } = CombinedRunnerFailure

const read = (route: Route, error: Parameters<typeof CombinedRunnerFailure.read>[0]) =>
  CombinedRunnerFailure.read(error, route.pool.settings.own)

/** The step has to start again, with the same number. */
class Again extends Error {
  constructor(
    readonly run: CombinedRun.Run,
    readonly step: number,
  ) {
    super("The step is asked of another provider")
  }
}

/**
 * Wraps the attempts at a step. `promotion` was written to the session by the first attempt and is not written again.
 */
export const attempt = <S, P, Rest extends readonly unknown[], A, E, R>(
  once: (session: S, promotion: P | undefined, step: number, ...rest: Rest) => Effect.Effect<A, E, R>,
  session: S,
  promotion: P | undefined,
  step: number,
  ...rest: Rest
): Effect.Effect<A, E, R> => {
  const run = CombinedRun.make()
  const go = (given: P | undefined, number: number): Effect.Effect<A, E, R> =>
    once(session, given, number, ...rest).pipe(
      Effect.catchDefect((defect) =>
        defect instanceof Again && defect.run === run ? go(undefined, defect.step) : Effect.die(defect),
      ),
    )
  return go(promotion, step).pipe(Effect.provideService(CombinedRunnerRoute.Current, run))
}

/** Watches the answer of a member. The answer of any other model is unchanged. */
export const stream = <R>(
  answer: Stream.Stream<LLMEvent, LLMError, R>,
  request: LLMRequest,
  step: number,
): Stream.Stream<LLMEvent, LLMError, R> => {
  const route = CombinedRunnerRoute.of(request.model)
  if (!route) return answer
  const state = { opened: false, began: Date.now() }
  return Stream.transformPull(
    answer,
    (pull) =>
      Effect.succeed(
        Effect.suspend((): Answer => {
          if (state.opened) return follow(route, state.began, pull)
          return open(route, step, pull, () => (state.began = Date.now())).pipe(
            Effect.tap(() => Effect.sync(() => (state.opened = true))),
          )
        }),
      ),
    // Upstream would repeat a refused request by itself before the next member could be asked.
  ).pipe(Stream.provideService(CombinedRunnerRoute.Retries, 0))
}

const EMPTY = { kind: "shortcoming", lacks: "content", message: "The answer was empty" } as const
const NOTHING = { kind: "shortcoming", lacks: "all", message: "The answer ended before it began" } as const

/** Sends the request, and holds events until one has content. */
const open = (route: Route, step: number, pull: Answer, begins: () => void): Answer => {
  const { run } = route
  const again = Effect.suspend(() => Effect.die(new Again(run, step)))
  const held: LLMEvent[] = []
  const opening: Answer = Effect.gen(function* () {
    while (true) {
      held.push(...(yield* pull))
      const [first, ...more] = held
      if (first && held.some(speaks)) return [first, ...more] as const
    }
  })
  return Effect.gen(function* () {
    if (!(yield* CombinedRunnerMembers.begin(route, "step"))) return yield* again
    begins()
    const began = Date.now()
    return yield* opening.pipe(
      Effect.raceFirst(watch(route)),
      Effect.matchCauseEffect({
        onSuccess: (events) => {
          const error = events.find((event) => event.type === "provider-error")
          if (!error) return Effect.succeed(events)
          return conclude(route, began, read(route, error), Effect.succeed(events), again)
        },
        onFailure: (cause): Answer => {
          const asIs = Effect.failCause(cause)
          if (Cause.hasInterruptsOnly(cause)) return asIs as Answer
          if (Pull.isDoneCause(cause)) {
            const [first, ...more] = held
            const end = held.some((event) => event.type === "step-finish" && event.reason !== "unknown")
              ? EMPTY
              : NOTHING
            return conclude(route, began, end, first ? Effect.succeed([first, ...more]) : (asIs as Answer), again)
          }
          const error = Cause.squash(cause)
          if (error instanceof CombinedWatch.Silence)
            return conclude(route, began, error.end, Effect.fail(failed(error.message)), again)
          if (!(error instanceof LLMError)) return asIs as Answer
          return conclude(route, began, read(route, error), Effect.fail(error), again)
        },
      }),
    )
  }).pipe(Effect.ensuring(Effect.sync(() => CombinedPool.release(route))))
}

/** Decides what to do after a failed attempt, and does it. `asIs` is how the answer would end without us. */
const conclude = (
  route: Route,
  began: number,
  end: Exclude<CombinedDecide.End, { kind: "whole" }>,
  asIs: Answer,
  again: Effect.Effect<never>,
): Answer =>
  Effect.suspend((): Answer => {
    const { pool, run, member } = route
    const { suspects } = run.answer
    const { verdict, action, left, out } = CombinedRunnerMembers.settle(route, {
      purpose: "step",
      end,
      // In this API a client has no way to show that it waits for hours.
      settings: { ...pool.settings, wait: undefined },
      others: CombinedRunnerMembers.others(route, "step"),
      // Upstream builds the history, and no part of it can be left out.
      forgone: new Set(CombinedFailure.FORGOABLE),
      began,
      calls: 0,
    })
    const said = Effect.logWarning("combined failover", {
      session: route.session,
      combined: route.id,
      member: CombinedMember.key(member),
      action,
      failure: CombinedDecide.classOf(end),
      reason: end.message,
      ...(verdict.type === "move" && { next: CombinedMember.key(verdict.to) }),
    })
    switch (verdict.type) {
      case "serve":
        return Effect.andThen(serve(route, began), asIs)
      case "again":
        return said.pipe(Effect.andThen(Effect.sleep(verdict.pause)), Effect.andThen(again))
      case "move":
        return Effect.andThen(said, again)
      case "wait":
        return said.pipe(Effect.andThen(Effect.sleep(verdict.for)), Effect.andThen(again))
      case "end": {
        const message = {
          this: undefined,
          first: suspects[0]?.failure.message,
          all: CombinedRunnerMembers.exhausted(route, left, out),
          "too long": undefined,
        }[verdict.error]
        return Effect.andThen(said, message === undefined ? asIs : Effect.fail(failed(message)))
      }
      // Upstream compacts a conversation that is too long when it sees this error.
      default:
        return Effect.andThen(said, asIs)
    }
  })

/** Once the answer has started: its end shows whether the member is well. */
const follow = (route: Route, began: number, pull: Answer): Answer =>
  pull.pipe(
    Effect.tap((events) =>
      Effect.sync(() => {
        const error = events.find((event) => event.type === "provider-error")
        if (error) broken(route, began, read(route, error))
      }),
    ),
    Effect.tapCause((cause) => {
      if (Pull.isDoneCause(cause)) return serve(route, began)
      const error = Cause.squash(cause)
      if (error instanceof LLMError) broken(route, began, read(route, error))
      return Effect.void
    }),
  )

function broken(route: Route, began: number, fault: ReturnType<typeof CombinedRunnerFailure.read>) {
  if (!CombinedFailure.cools(fault) || fault.kind === "unknown") return
  if (CombinedDecide.movesOn(route.pool.settings, fault.kind))
    CombinedRunnerMembers.cool(route, route.member, fault, began)
}

const serve = (route: Route, began: number) =>
  Effect.sync(() => {
    CombinedRunnerMembers.succeed(route, route.run.answer.suspects, began)
    route.run.answer = CombinedAnswer.FRESH
  })

/** Watches for silence before the answer has started. */
const watch = (route: Route) => {
  const began = performance.now()
  const look = () => ({ silence: performance.now() - began, started: false })
  return CombinedWatch.watch(
    look,
    route.pool.settings,
    Effect.sync(() => CombinedRunnerMembers.others(route, "step", { relieves: true })),
  )
}

/** Whether an event has content, or ends the answer. */
function speaks(event: LLMEvent) {
  switch (event.type) {
    case "step-start":
    case "text-start":
    case "text-end":
    case "reasoning-start":
    case "reasoning-end":
    case "tool-input-start":
    case "tool-input-end":
    case "finish":
      return false
    case "text-delta":
    case "reasoning-delta":
      return event.text !== ""
    case "tool-input-delta":
      return false
    // An answer that was cut off or refused is complete even without text.
    case "step-finish":
      return event.reason !== "stop" && event.reason !== "unknown" && event.reason !== "error"
  }
  return true
}

export * as CombinedRunnerStep from "./step"
