/**
 * What a request does with the members of its model: which can answer, and what is learnt from the one that was asked.
 */
import { Effect } from "effect"
import { CombinedAnswer, type Answer } from "../choice/answer"
import { CombinedRun } from "../choice/run"
import { CombinedSteer, NOTHING } from "../choice/steer"
import type { Failure } from "../failure/classify"
import { CombinedPool } from "../host/pool"
import { CombinedMember } from "../member"
import type { Bar } from "../money/words"
import { CombinedDecide } from "../turn/decide"
import { CombinedNotice } from "../turn/notice"
import { CombinedRunnerFailure } from "./failure"
import { CombinedRunnerFit } from "./fit"
import type { CombinedRunnerRoute } from "./route"
import type { LLMError } from "./upstream/llm"

type Route = CombinedRunnerRoute.Route

/** The members that the user allows now. */
export const allowed = ({ pool, id, members, run }: Route) => pool.among(id, members, run.steer)

/** The error if there is no member left to ask. */
export function exhausted(
  route: Route,
  answer = route.run.answer,
  out: Parameters<typeof CombinedNotice.exhausted>[2] = [],
) {
  const steered = wishes(route)
  const bars = [...route.members.flatMap(({ terms }) => terms?.bar ?? []), ...answer.bars]
  return CombinedNotice.exhausted(route.id, answer.failures, out, bars) + steered
}

/** Further lines for an error: the members that are not asked because of the user's wishes. */
function wishes(route: Route) {
  const { id, members, run } = route
  const inSession = members.flatMap((member) => {
    const reason = CombinedSteer.reason(id, members, member, NOTHING, run.steer)
    return reason ? [{ member, reason }] : []
  })
  const asked = allowed(route)
  const others = members.filter((item) => !asked.includes(item) && !inSession.some(({ member }) => member === item))
  const onMachine = others.length
    ? `Not asked, as you want it on this machine (opencode-patcher health): ${others.map(CombinedMember.key).join(", ")}.`
    : ""
  return [CombinedNotice.ruledOut(inSession, run.steer.pin), onMachine]
    .filter((text) => text)
    .map((text) => `\n${text}`)
    .join("")
}

/** What a request requires from the members. */
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
  const barred = (member: CombinedMember.Member) =>
    members.some((item) => CombinedMember.same(item, member) && item.terms?.bar !== undefined)
  return { ...CombinedDecide.wish(answer, purpose), fits, barred, ...(run.warm && { warm: run.warm }) }
}

type Before = {
  /** Says until when we wait for the member. */
  readonly announce?: (until: number) => Effect.Effect<void, LLMError>
  /** Waits for the member. Another one may be back first. */
  readonly pause?: (span: CombinedDecide.Span) => Effect.Effect<void>
  /** The members that may not be asked for this answer because of what it may cost. */
  readonly admit?: Effect.Effect<readonly Bar[]>
}

/**
 * Looks at the member right before its request, because it may have become unavailable since it was chosen. Waits for
 * it if necessary. Returns whether to ask it; if not, a member has to be chosen again.
 */
export const begin = (
  route: Route,
  purpose: CombinedDecide.Purpose,
  { announce = () => Effect.void, pause = (span) => Effect.sleep(span.for), admit = Effect.succeed([]) }: Before = {},
): Effect.Effect<boolean, LLMError> =>
  Effect.gen(function* () {
    const { pool, run, member, members } = route
    const found = CombinedDecide.start(start(route, purpose))
    if (found.type === "move") {
      run.answer = CombinedAnswer.rechoose(run.answer)
      return false
    }
    if (found.type === "end") return yield* Effect.fail(CombinedRunnerFailure.failed(exhausted(route)))
    if (found.type === "wait") {
      run.answer = CombinedAnswer.wait(run.answer, found)
      yield* announce(found.until)
      yield* pause(found)
      if (pool.cooling(member)) return false
      pool.claim(member, route)
    }
    const bars = yield* admit
    if (!bars.length) return true
    CombinedPool.release(route)
    run.answer = CombinedAnswer.bar(run.answer, bars)
    const choice = pool.choose(allowed(route), { ...wish(run, members, run.answer, purpose), owner: route })
    const facts = { purpose, answer: run.answer, wait: pool.settings.wait, now: Date.now() }
    if (CombinedDecide.instead(facts, candidate(route, choice))) return false
    const out = choice.type === "wait" ? choice.out : []
    return yield* Effect.fail(CombinedRunnerFailure.failed(exhausted(route, run.answer, out)))
  })

/** What is known about the member right before its request. The request probes it if needed. */
function start(route: Route, purpose: CombinedDecide.Purpose): Parameters<typeof CombinedDecide.start>[0] {
  const { pool, run, member, members } = route
  const until = pool.cooling(member)?.until
  const open = wish(run, members, run.answer, purpose).open(member)
  const probed = until === undefined && open ? !pool.claim(member, route) : false
  const ruledOut = !allowed(route).includes(member) || member.terms?.bar !== undefined
  const some = until !== undefined || probed || !open || ruledOut ? others(route, purpose) : true
  return { purpose, answer: run.answer, member, until, probed, ruledOut, others: some, now: Date.now() }
}

/** Whether another member can answer now; with `relieves`, in place of a silent one. */
export function others(
  route: Route,
  purpose: CombinedDecide.Purpose,
  { answer = route.run.answer, relieves = false } = {},
) {
  const { pool, run, member, members } = route
  const wanted = wish(run, members, answer, purpose)
  const open = relieves ? wanted.relieves : wanted.open
  return pool
    .rank(allowed(route), { ...wanted, open })
    .some((item) => wanted.fits(item) && !CombinedMember.same(item, member))
}

/** An attempt that has ended; `calls` is how many calls have started in it. */
export type Attempt = Pick<CombinedDecide.Ended, "purpose" | "end" | "settings" | "others" | "forgone" | "error"> & {
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
    started: calls > 0,
  }
  const failure = CombinedDecide.cools(ended)
  if (failure) cool(route, member, failure, began)
  if (CombinedDecide.tooLong(ended)) run.tooLong.set(CombinedMember.key(member), CombinedRunnerFit.room(member))
  const left = CombinedDecide.leave(ended)
  const choice = pool.choose(allowed(route), { ...wish(run, members, left, attempt.purpose), owner: route })
  const out = choice.type === "wait" ? choice.out : []
  const next = candidate(route, choice)
  const facts = { ...ended, next, kept: calls, done: false, full: false, now: Date.now() }
  const verdict = CombinedDecide.decide(facts)
  run.answer = CombinedDecide.after(facts, verdict)
  if (verdict.type === "again" && verdict.forgo) CombinedRun.forgo(run, member, verdict.forgo)
  return {
    verdict,
    action: CombinedDecide.actionOf(facts, verdict),
    /** For the words of an error: the answer without this member, and the members that are out. */
    left,
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

/** The member has answered. The suspects failed with the same request, so they are to blame and cool down. */
export function succeed(route: Route, suspects: Answer["suspects"], began: number) {
  for (const suspect of suspects) cool(route, suspect, suspect.failure, began)
  route.pool.succeed(route.member, began)
}

/** Starts a cooldown, either of a provider or of all the names under which it offers the model. */
export function cool(route: Route, name: CombinedMember.Name, failure: Failure, began: number) {
  const member = route.members.find((item) => CombinedMember.same(item, name)) ?? name
  for (const item of CombinedMember.alike(member, route.members, failure)) route.pool.fail(item, failure, began)
}

export * as CombinedRunnerMembers from "./members"
