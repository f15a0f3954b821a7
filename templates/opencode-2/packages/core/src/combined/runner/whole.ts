/**
 * Requests outside of a step: a title, a summary, a text that a client asks for. Nothing of an answer is shown before
 * it is complete, so after a failure the next member is simply asked.
 */
import { Cause, Effect, Stream } from "effect"
import type { SessionRunnerModel } from "../../session/runner/model"
import { CombinedRun } from "../choice/run"
import { CombinedLive } from "../host/live"
import { CombinedPool } from "../host/pool"
import { CombinedWatch } from "../host/watch"
import { CombinedDecide } from "../turn/decide"
import { CombinedRunnerAttempt } from "./attempt"
import { CombinedRunnerConclusion } from "./conclusion"
import { CombinedRunnerEnd } from "./end"
import { CombinedRunnerFailure } from "./failure"
import { CombinedRunnerHistory } from "./history"
import { CombinedRunnerMembers } from "./members"
import { CombinedRunnerMoney } from "./money"
import { CombinedRunnerRoute } from "./route"
import { LLMError, LLMResponse, believed, sentTo, type LLMEvent, type LLMRequest } from "./upstream/llm"

/** `Options` are upstream's options for a request to one model, if it has any. */
type Send<R, Options = never> = (request: LLMRequest, options?: Options) => Stream.Stream<LLMEvent, LLMError, R>
type Events = readonly LLMEvent[]
type Purpose = "title" | "summary" | "small"

const { failed } = CombinedRunnerFailure

type Client<R, Options> = {
  readonly stream: Send<R, Options>
}

/** Asks as many members as needed. A request to any other model is sent unchanged. */
export function client<R, Options = never>(llm: Client<R, Options>, purpose: Purpose) {
  const stream: Send<R, Options> = (request, options) => {
    const first = CombinedRunnerRoute.of(request.model)
    if (!first) return llm.stream(request, options)
    const route = { ...first, run: CombinedRun.make() }
    // The options, and the hooks in them, are for the first member only.
    const send: Send<R> = (asked) => llm.stream(asked, asked.model === request.model ? options : undefined)
    return Stream.unwrap(
      ask({ send, purpose, first, cost: first.member.model.cost }, route, request).pipe(
        Effect.map((events) => Stream.fromIterable(events)),
      ),
    )
  }
  return {
    stream,
    generate: Effect.fnUntraced(function* (request: LLMRequest, options?: Options) {
      const state = yield* stream(request, options).pipe(Stream.runFold(LLMResponse.empty, LLMResponse.reduce))
      return LLMResponse.complete(state) ?? (yield* Effect.fail(failed(CombinedRunnerEnd.unfinished(true).message)))
    }),
  }
}

/** The model that answered a request, for its price; by default the one that was resolved. */
export function served(resolved: Pick<SessionRunnerModel.Resolved, "model" | "cost">) {
  return CombinedRunnerRoute.of(resolved.model)?.state.served ?? resolved
}

type Question<R> = {
  readonly send: Send<R>
  readonly purpose: Purpose
  /** Where the caller looks up which model answered. */
  readonly first: CombinedRunnerRoute.Route
  readonly cost: SessionRunnerModel.Resolved["cost"]
}

const ask = <R>(
  question: Question<R>,
  route: CombinedRunnerRoute.Route,
  request: LLMRequest,
): Effect.Effect<Events, LLMError, R> =>
  Effect.gen(function* () {
    const purpose = question.purpose === "summary" ? "summary" : "whole"
    const attempt = CombinedRunnerAttempt.make()
    const admit = CombinedRunnerMoney.admit(route, attempt, request)
    route.run.steer = yield* route.wishes
    if (!(yield* CombinedRunnerMembers.begin(route, purpose, { admit }))) return yield* other(question, route, request)
    const subject = { purpose: question.purpose, message: "", cost: question.cost }
    const events: LLMEvent[] = []
    CombinedRunnerAttempt.begin(attempt, request.model)
    attempt.pulling = performance.now()
    const answered = CombinedRunnerAttempt.listen(
      attempt,
      route,
      question.send(CombinedRunnerHistory.tempered(request, route.member)),
    ).pipe(
      Stream.runForEach((event) =>
        Effect.sync(() => {
          CombinedRunnerAttempt.note(attempt, [event])
          attempt.pulling = performance.now()
          events.push(event)
        }),
      ),
      Effect.raceFirst(CombinedRunnerConclusion.watch(route, attempt, purpose)),
    )
    const asked = yield* (
      purpose === "summary" ? CombinedLive.during(answered, CombinedRunnerConclusion.subject(route, purpose)) : answered
    ).pipe(
      Effect.ensuring(
        Effect.suspend(() => {
          CombinedPool.release(route)
          return CombinedRunnerMoney.pay(attempt, question.cost)
        }),
      ),
      Effect.onInterrupt(() =>
        Effect.sync(() => CombinedRunnerAttempt.record(attempt, route, subject, { action: "cancelled" })),
      ),
      Effect.exit,
    )
    if (asked._tag === "Failure" && Cause.hasInterruptsOnly(asked.cause)) return yield* Effect.interrupt
    const error = asked._tag === "Failure" ? Cause.squash(asked.cause) : undefined
    if (error !== undefined && !isEnd(error)) return yield* Effect.die(error)
    const ended = endOf(route, attempt, events, error)
    const end = CombinedRunnerAttempt.explained(attempt, ended, route.settings.own)
    const { verdict, left, out } = CombinedRunnerConclusion.conclude(route, attempt, subject, purpose, end, error)
    switch (verdict.type) {
      case "serve":
        return events.map(believed)
      case "again":
        yield* Effect.sleep(verdict.pause)
        return yield* ask(question, route, request)
      case "move":
        return yield* other(question, route, request)
      case "wait":
        yield* Effect.sleep(verdict.for)
        return yield* other(question, route, request)
    }
    if (verdict.type === "end" && verdict.error === "all")
      return yield* Effect.fail(failed(CombinedRunnerMembers.exhausted(route, left, out)))
    if (error instanceof LLMError) return yield* Effect.fail(error)
    if (events.length) return events
    return yield* Effect.fail(failed(end.kind === "whole" ? "" : end.message))
  })

/** Asks the next member. */
const other = <R>(question: Question<R>, route: CombinedRunnerRoute.Route, request: LLMRequest) =>
  Effect.gen(function* () {
    const resolved = yield* route.resolve(route.run).pipe(Effect.mapError((error) => failed(error.message)))
    const next = CombinedRunnerRoute.of(resolved.model)
    question.first.state.served = resolved
    return yield* ask(
      { ...question, cost: resolved.cost },
      { ...(next ?? route), run: route.run },
      sentTo(request, resolved),
    )
  })

type Ending = LLMError | CombinedWatch.Silence | CombinedLive.Passed

const isEnd = (error: unknown): error is Ending =>
  error instanceof LLMError || error instanceof CombinedWatch.Silence || error instanceof CombinedLive.Passed

function endOf(
  route: CombinedRunnerRoute.Route,
  attempt: CombinedRunnerAttempt.Attempt,
  events: Events,
  error: Ending | undefined,
): CombinedDecide.End {
  if (error instanceof CombinedWatch.Silence || error instanceof CombinedLive.Passed) return error.end
  const begun = CombinedRunnerAttempt.begun(attempt)
  if (error) return CombinedRunnerEnd.read(error, route.settings.own, begun)
  const told = events.find((event) => event.type === "provider-error")
  if (told) return CombinedRunnerEnd.read(told, route.settings.own, begun)
  const last = events.findLast((event) => event.type === "step-finish")
  if (!last) return CombinedRunnerEnd.unfinished(begun)
  return CombinedRunnerAttempt.endOf(attempt, last) ?? { kind: "whole" }
}

export * as CombinedRunnerWhole from "./whole"
