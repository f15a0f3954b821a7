/**
 * Asks for something that is only useful when complete, and is not shown before that: a title, an agent. Members are
 * asked one after another. ../turn/decide.ts decides how often, and with which waits.
 */
import type { Provider } from "@/provider/provider"
import { Cause, Effect } from "effect"
import { CombinedAnswer } from "../choice/answer"
import { CombinedRun } from "../choice/run"
import { CombinedMember } from "../member"
import { CombinedRoute } from "../provider/route"
import type { CombinedConclusion } from "../request/conclusion"
import { CombinedFit } from "../request/fit"
import { CombinedSpending } from "../money/spending"
import { CombinedDecide } from "../turn/decide"

/** One request to one member, and how it ended. */
export type Asked<A, E> = {
  readonly end: CombinedDecide.End
  readonly value?: A
  /** Why there is no complete value. */
  readonly cause?: Cause.Cause<E>
  readonly record?: (conclusion: CombinedConclusion.Conclusion) => Effect.Effect<void>
}

/** How something is asked for. */
export type How<A, E, R> = {
  readonly attempt: (model: Provider.Model) => Effect.Effect<Asked<A, E>, E, R>
  /** What the request may cost, and in which session. */
  readonly request: CombinedSpending.Request
  /** What the last request has cost, as far as known. */
  readonly bill: (asked: Asked<A, E> | undefined) => Parameters<typeof CombinedSpending.settle>[1]
}

const nobody = (route: CombinedRoute.Route, run: CombinedRun.Run) =>
  Cause.die(new Error(CombinedRoute.exhausted(route, run.answer)))

/** `model` belongs to a combined model; every other model that is asked is a member of it too. */
export const ask = <A, E, R>(
  model: Provider.Model,
  how: How<A, E, R>,
  run = CombinedRun.make(),
  last?: Cause.Cause<E>,
): Effect.Effect<A, E, R> =>
  Effect.gen(function* () {
    const route = CombinedRoute.of(model)
    if (!route) return yield* Effect.die(new Error(`${model.id} is not a combined model`))
    const wish = (answer?: CombinedAnswer.Answer) => CombinedFit.wish({}, run, "whole", answer)
    const begin = CombinedDecide.start(yield* CombinedFit.facts(route, run, "whole"))
    if (begin.type === "move") {
      run.answer = CombinedAnswer.rechoose(run.answer)
      return yield* ask((yield* route.next(wish())).model ?? model, how, run, last)
    }
    if (begin.type === "end") return yield* Effect.failCause(last ?? nobody(route, run))
    if (begin.type === "wait") {
      run.answer = CombinedAnswer.wait(run.answer, begin)
      yield* Effect.sleep(begin.for)
      yield* route.claim
    }
    const bars = yield* CombinedSpending.admit(model, how.request).pipe(Effect.onInterrupt(() => route.release))
    if (bars.length) {
      yield* route.release
      run.answer = CombinedAnswer.bar(run.answer, bars)
      const next = yield* route.next(wish())
      const facts = { purpose: "whole", answer: run.answer, now: Date.now() } as const
      if (!next.model || !CombinedDecide.instead(facts, CombinedRoute.candidate(next)))
        return yield* Effect.failCause(last ?? nobody(route, run))
      return yield* ask(next.model, how, run, last)
    }

    const { end, value, cause, record } = yield* how.attempt(model).pipe(
      Effect.onExit((exit) =>
        CombinedSpending.settle(route, how.bill(exit._tag === "Success" ? exit.value : undefined)),
      ),
      Effect.ensuring(route.release),
    )
    const ended: CombinedDecide.Ended = {
      purpose: "whole",
      end,
      settings: route.settings,
      answer: run.answer,
      member: route.member,
      unproven: yield* route.unproven,
      forgone: CombinedRun.forgone(run, route.member),
      started: false,
      others:
        end.kind === "whole" || (yield* route.others(wish(CombinedDecide.without(run.answer, route.member, end)))),
      error: cause,
    }
    const failure = CombinedDecide.cools(ended)
    if (failure) yield* route.fail(failure)
    if (CombinedDecide.tooLong(ended)) run.tooLong.set(CombinedMember.key(route.member), CombinedFit.room(model))
    const facts: CombinedDecide.Facts<CombinedRoute.Candidate> = {
      ...ended,
      next: CombinedRoute.candidate(yield* route.next(wish(CombinedDecide.leave(ended)))),
      kept: 0,
      done: false,
      full: false,
      now: Date.now(),
    }
    const verdict = CombinedDecide.decide(facts)
    run.answer = CombinedDecide.after(facts, verdict)
    if (record)
      yield* record({
        action: CombinedDecide.ACTIONS[verdict.type],
        ...(end.kind !== "whole" && { failure: { kind: CombinedDecide.classOf(end), message: end.message } }),
        ...(verdict.type === "move" && { next: verdict.to.model }),
      })
    switch (verdict.type) {
      case "serve":
        for (const suspect of verdict.blamed) yield* route.blame(suspect, suspect.failure)
        yield* route.succeed
        // A served answer has a value, because an incomplete one is not accepted here.
        return value as A
      case "again":
        if (verdict.forgo) CombinedRun.forgo(run, route.member, verdict.forgo)
        yield* Effect.sleep(verdict.pause)
        return yield* ask(model, how, run, cause)
      case "move":
        return yield* ask(verdict.to.model, how, run, cause)
      case "wait":
        yield* Effect.sleep(verdict.for)
        return yield* ask((yield* route.next(wish())).model ?? model, how, run, cause ?? last)
      default: {
        const first = verdict.type === "end" && verdict.error === "first" ? ended.answer.suspects[0]?.error : undefined
        return yield* Effect.failCause((first as Cause.Cause<E> | undefined) ?? cause ?? nobody(route, run))
      }
    }
  })

export * as CombinedAsk from "./ask"
