/** What a request does with the members of its model: which could answer, what is learnt of the one that was asked. */
import { Effect } from "effect"
import { CombinedAnswer, type Answer } from "../choice/answer"
import { CombinedFailure, type Failure } from "../failure/classify"
import { CombinedMember } from "../member"
import { CombinedDecide } from "../turn/decide"
import { CombinedNotice } from "../turn/notice"
import { CombinedRunnerFailure } from "./failure"
import { CombinedRunnerFit } from "./fit"
import type { LLMError } from "./llm"
import type { CombinedRunnerRoute } from "./route"

type Route = CombinedRunnerRoute.Route

/** What a request requires of the members. */
export function wish(
  run: CombinedRunnerRoute.Run,
  members: readonly CombinedRunnerRoute.Member[],
  answer: Answer = run.answer,
  purpose: CombinedDecide.Purpose = "step",
) {
  const fits = (member: CombinedMember.Member) => {
    const found = members.find((item) => CombinedMember.same(item, member))
    return found === undefined || CombinedRunnerFit.fits(run, found)
  }
  return { ...CombinedDecide.wish(answer, purpose), fits }
}

/**
 * Looks at the member right before its request: it may have become unavailable since it was chosen. Waits for it if it
 * has to, which `announce` says. Returns whether to ask it; if not, one has to be chosen again.
 */
export const begin = (
  route: Route,
  purpose: CombinedDecide.Purpose,
  announce: (until: number) => Effect.Effect<void, LLMError> = () => Effect.void,
): Effect.Effect<boolean, LLMError> =>
  Effect.gen(function* () {
    const { pool, run, member } = route
    const found = CombinedDecide.start(start(route, purpose))
    if (found.type === "move") {
      run.answer = CombinedAnswer.rechoose(run.answer)
      return false
    }
    if (found.type === "end") {
      const message = CombinedNotice.exhausted(route.id, run.answer.failures, [])
      return yield* Effect.fail(CombinedRunnerFailure.failed(message))
    }
    if (found.type === "wait") {
      run.answer = CombinedAnswer.wait(run.answer, found)
      yield* announce(found.until)
      yield* Effect.sleep(found.for)
      pool.claim(member, route)
    }
    return true
  })

/** What is known about the member right before its request, which then probes it if needed. */
function start(route: Route, purpose: CombinedDecide.Purpose): Parameters<typeof CombinedDecide.start>[0] {
  const { pool, run, member, members } = route
  const until = pool.cooling(member)?.until
  const open = wish(run, members, run.answer, purpose).open(member)
  const probed = until === undefined && open ? !pool.claim(member, route) : false
  const some = until !== undefined || probed || !open ? others(route, purpose) : true
  return { purpose, answer: run.answer, member, until, probed, others: some, now: Date.now() }
}

/** Whether another member can answer now; `relieves`: in place of one that is silent. */
export function others(
  { pool, run, member, members }: Route,
  purpose: CombinedDecide.Purpose,
  { answer = run.answer, relieves = false } = {},
) {
  const wanted = wish(run, members, answer, purpose)
  const open = relieves ? wanted.relieves : wanted.open
  return pool.rank(members, { ...wanted, open }).some((item) => wanted.fits(item) && !CombinedMember.same(item, member))
}

/** An attempt that has ended, and the calls in it that have started. */
export type Attempt = Pick<CombinedDecide.Ended, "purpose" | "end" | "settings" | "others" | "error"> & {
  readonly began: number
  readonly calls: number
}

/** Learns from an attempt that has ended, and decides what happens. */
export function settle(route: Route, { began, calls, ...attempt }: Attempt) {
  const { pool, run, member, members } = route
  const ended: CombinedDecide.Ended = {
    ...attempt,
    answer: run.answer,
    member,
    unproven: pool.unproven(member),
    // Upstream makes the history, and no part of it can be left out.
    forgone: new Set(CombinedFailure.FORGOABLE),
    started: calls > 0,
  }
  const failure = CombinedDecide.cools(ended)
  if (failure) cool(route, member, failure, began)
  if (CombinedDecide.tooLong(ended)) run.tooLong.set(CombinedMember.key(member), CombinedRunnerFit.room(member))
  const left = CombinedDecide.leave(ended)
  const choice = pool.choose(members, { ...wish(run, members, left, attempt.purpose), owner: route })
  const out = choice.type === "wait" ? choice.out : []
  const next = candidate(route, choice)
  const facts = { ...ended, next, kept: calls, done: false, full: false, now: Date.now() }
  const verdict = CombinedDecide.decide(facts)
  run.answer = CombinedDecide.after(facts, verdict)
  return {
    verdict,
    action: CombinedDecide.actionOf(facts, verdict),
    /** The failures of the answer with this one, and the members that are out: for the words of an error. */
    failures: left.failures,
    out,
  }
}

function candidate(
  route: Route,
  choice: ReturnType<typeof route.pool.choose<CombinedRunnerRoute.Member>>,
): CombinedDecide.Next<CombinedRunnerRoute.Member> {
  if (choice.type === "serve") return choice
  const [first] = choice.out
  if (!first) return { type: "none" }
  const fits = wish(route.run, route.members).fits(first.member)
  return { type: "wait", member: first.member, until: first.cooldown.until, fits }
}

/** The member has given the answer: so the suspects, which had failed with the same request, are to blame. */
export function succeed(route: Route, suspects: Answer["suspects"], began: number) {
  for (const suspect of suspects) cool(route, suspect, suspect.failure, began)
  route.pool.succeed(route.member, began)
}

/** Starts a cooldown: of a provider, or of all the names under which it offers the model. */
export function cool(route: Route, name: CombinedMember.Name, failure: Failure, began: number) {
  const member = route.members.find((item) => CombinedMember.same(item, name)) ?? name
  for (const item of CombinedMember.alike(member, route.members, failure)) route.pool.fail(item, failure, began)
}

export * as CombinedRunnerMembers from "./members"
