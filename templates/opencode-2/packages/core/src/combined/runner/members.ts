/** What a request does with the members of its model: which could answer, what is learnt of the one that was asked. */
import { Effect } from "effect"
import type { Failure } from "../failure/classify"
import { CombinedPool } from "../host/pool"
import { CombinedWatch } from "../host/watch"
import { CombinedMember } from "../member"
import { CombinedDecide } from "../turn/decide"
import { CombinedRunnerAttempt } from "./attempt"
import { CombinedRunnerModel } from "./model"
import type { CombinedRunnerRoute } from "./route"

type Route = CombinedRunnerRoute.Route

/** What is known about the member right before its request, which then probes it if needed. */
export function start(route: Route, purpose: CombinedDecide.Purpose): Parameters<typeof CombinedDecide.start>[0] {
  const { pool, run, member, members } = route
  const until = pool.cooling(member)?.until
  const open = CombinedRunnerModel.wish(run, members, run.answer, purpose).open(member)
  const probed = until === undefined && open ? !pool.claim(member, route) : false
  const some = until !== undefined || probed || !open ? others(route, purpose) : true
  return { purpose, answer: run.answer, member, until, probed, others: some, now: Date.now() }
}

/** Whether another member can answer now, in place of one that has ended like this, or is still silent. */
export function others(
  { pool, run, member, members }: Route,
  purpose: CombinedDecide.Purpose,
  end?: CombinedDecide.End | "silent",
) {
  const answer = end === "silent" ? run.answer : CombinedDecide.without(run.answer, member, end)
  const wish = CombinedRunnerModel.wish(run, members, answer, purpose)
  const open = end === "silent" ? wish.relieves : wish.open
  return pool.rank(members, { ...wish, open }).some((item) => wish.fits(item) && !CombinedMember.same(item, member))
}

/** Fails once the member has been silent for too long and another one can answer. */
export const watch = (
  route: Route,
  attempt: CombinedRunnerAttempt.Attempt,
  purpose: CombinedDecide.Purpose,
): Effect.Effect<never, CombinedWatch.Silence> =>
  CombinedWatch.watch(
    () => ({ silence: CombinedRunnerAttempt.silence(attempt), started: attempt.firstToken !== undefined }),
    route.settings,
    Effect.sync(() => others(route, purpose, "silent")),
  )

export type Concluded = {
  readonly verdict: CombinedDecide.Verdict<CombinedRunnerRoute.Member>
  /** The answer as far as it was asked for, and which members are out: for the words of an error. */
  readonly left: ReturnType<typeof CombinedDecide.leave>
  readonly out: ReturnType<typeof outOf>
}

/** Learns from an attempt that has ended, decides what happens, and logs it. */
export function conclude(
  route: Route,
  attempt: CombinedRunnerAttempt.Attempt,
  subject: CombinedRunnerAttempt.Subject & { readonly answer?: string },
  purpose: CombinedDecide.Purpose,
  end: CombinedDecide.End,
  error?: unknown,
): Concluded {
  const { pool, run, member, members } = route
  const ended: CombinedDecide.Ended = {
    purpose,
    end,
    settings: route.settings,
    answer: run.answer,
    member,
    unproven: pool.unproven(member),
    // Upstream makes the history, and no part of it can be left out.
    forgone: new Set(["thinking", "items", "calls"]),
    started: attempt.calls > 0,
    others: end.kind === "whole" || others(route, purpose, end),
    error,
  }
  const failure = CombinedDecide.cools(ended)
  if (failure) cool(route, member, failure, attempt.began)
  if (CombinedDecide.tooLong(ended)) run.tooLong.set(CombinedMember.key(member), CombinedRunnerModel.room(member))
  const left = CombinedDecide.leave(ended)
  const choice = choose(route, CombinedRunnerModel.wish(run, members, left, purpose))
  const facts = {
    ...ended,
    next: candidate(route, choice),
    kept: attempt.calls,
    done: false,
    full: false,
    now: Date.now(),
  }
  const verdict = CombinedDecide.decide(facts)
  const { suspects } = run.answer
  run.answer = CombinedDecide.after(facts, verdict)
  const served = verdict.type === "serve"
  if (!served) run.owed = (run.owed ?? 0) + CombinedRunnerAttempt.spent(attempt, subject.cost).cost
  if (served) {
    for (const suspect of suspects) cool(route, suspect, suspect.failure, attempt.began)
    pool.succeed(member, attempt.began)
  }
  CombinedRunnerAttempt.record(attempt, route, subject, {
    action: CombinedDecide.actionOf(facts, verdict),
    ...(end.kind !== "whole" &&
      verdict.type !== "serve" && { failure: CombinedDecide.classOf(end), reason: end.message }),
    ...(attempt.calls > 0 && verdict.type !== "serve" && { tools: attempt.calls }),
    ...(verdict.type === "move" && { next: CombinedMember.key(verdict.to) }),
    ...(verdict.type === "again" && { next: CombinedMember.key(member) }),
  })
  return { verdict, left, out: outOf(choice) }
}

/** Starts a cooldown: of a provider, or of all the names under which it offers the model. */
function cool(route: Route, name: CombinedMember.Name, failure: Failure, began: number) {
  const member = route.members.find((item) => CombinedMember.same(item, name)) ?? name
  for (const item of CombinedMember.alike(member, route.members, failure)) route.pool.fail(item, failure, began)
}

function choose(route: Route, wish: ReturnType<typeof CombinedRunnerModel.wish>) {
  return route.pool.choose(route.members, { ...wish, owner: route })
}

type Choice = ReturnType<typeof choose>

const outOf = (choice: Choice) => (choice.type === "wait" ? choice.out : [])

function candidate(route: Route, choice: Choice): CombinedDecide.Next<CombinedRunnerRoute.Member> {
  if (choice.type === "serve") return choice
  const [first] = choice.out
  if (!first) return { type: "none" }
  const fits = CombinedRunnerModel.wish(route.run, route.members).fits(first.member)
  return { type: "wait", member: first.member, until: first.cooldown.until, fits }
}

export * as CombinedRunnerMembers from "./members"
