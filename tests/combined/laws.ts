/**
 * The laws of a turn, held against random sequences of outcomes: a small world of members and a loop that acts on the real
 * decisions, with the real health, order and ledger. A law that is broken is returned as a sentence.
 *
 * The policy is handed in, so that a test can break each law on purpose and see it noticed.
 */
import { CombinedRank } from "@/combined/choice/rank"
import { CombinedAnswer } from "@/combined/choice/answer"
import { CombinedRun } from "@/combined/choice/run"
import { CombinedFailure } from "@/combined/failure/classify"
import { CombinedCooldown } from "@/combined/health/cooldown"
import { CombinedMember } from "@/combined/member"
import { CombinedDecide } from "@/combined/turn/decide"

export type Policy = Pick<typeof CombinedDecide, "decide" | "start" | "after" | "cools"> & {
  /** What a cancel comes to. */
  readonly cancelled: () => "stop" | "go on"
  /** What is left of a run when it is over. */
  readonly over: (run: CombinedRun.Run) => void
}

export const POLICY: Policy = { ...CombinedDecide, cancelled: () => "stop", over: () => {} }

type Member = {
  readonly providerID: string
  readonly modelID: string
  readonly identity: string
  readonly room: number
}

export const LAWS = [
  "no finished tool runs again",
  "every answer ends",
  "a member is asked three times at most",
  "a model that refused is not asked again",
  "an answer takes a stated number of requests at most",
  "a wait has an end",
  "a wait ends when it was said to end",
  "an answer waits for a limited time in all",
  "no wait ends in the quiet hours",
  "a turn does not give up while one returns soon",
  "a cancel ends at once",
  "nothing is left after a run",
] as const

export type Law = (typeof LAWS)[number]

type Broken = { readonly law: Law }

export type Random = () => number

/** mulberry32: small, fast and the same everywhere. */
export function random(seed: number): Random {
  const state = { value: seed >>> 0 }
  return () => {
    state.value = (state.value + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state.value ^ (state.value >>> 15), 1 | state.value)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

const pick = <A>(roll: Random, from: readonly A[]) => from[Math.floor(roll() * from.length)]

const ENDS: readonly ((roll: Random) => CombinedDecide.End)[] = [
  () => ({ kind: "whole" }),
  () => ({ kind: "shortcoming", lacks: "finish", message: "no finish reason" }),
  () => ({ kind: "shortcoming", lacks: "content", message: "empty" }),
  () => ({ kind: "shortcoming", lacks: "call", message: "cut call" }),
  () => ({ kind: "shortcoming", lacks: "all", message: "nothing" }),
  () => ({ kind: "passed", message: "the next, please" }),
  () => ({ kind: "too_long", message: "too long" }),
  (roll) => ({ kind: "history", forgo: pick(roll, CombinedFailure.FORGOABLE), message: "bad history" }),
  () => ({ kind: "final", message: "refused" }),
  (roll) => ({ kind: "final", refusal: pick(roll, ["error", "answer"] as const), message: "content" }),
  () => ({ kind: "rate_limit", scope: "model", message: "too much at once", long: true }),
  () => ({ kind: "timeout", scope: "model", message: "silent", lasting: true, silent: true }),
  ...CombinedFailure.KINDS.map(
    (kind) =>
      (roll: Random): CombinedDecide.End => ({
        kind,
        scope: roll() < 0.3 ? "provider" : "model",
        message: kind,
        ...(roll() < 0.3 && { retryAfter: Math.floor(roll() * 100_000) }),
        ...(roll() < 0.2 && { lasting: true }),
      }),
  ),
]

const STRATEGIES: readonly CombinedDecide.Settings["kinds"][] = [
  undefined,
  undefined,
  undefined,
  ["rate_limit", "quota"],
  ["rate_limit", "quota", "overload", "server"],
]

const HOUR = 3_600_000

const WAITS: readonly CombinedDecide.Settings["wait"][] = [
  undefined,
  undefined,
  { max: 6 * HOUR },
  { max: 12 * HOUR, quiet: { from: 23 * 60, to: 7 * 60 } },
]

/** Rounds of the loop in which nothing is asked are few; whoever needs more than this goes round for ever. */
const FOR_EVER = 2000

/** Plays one run of a session. Returns the law that was broken, if one was. */
export function play(seed: number, policy: Policy = POLICY): Law | undefined {
  const roll = random(seed)
  const members = Array.from({ length: 1 + Math.floor(roll() * 4) }, (_, index): Member => {
    const providerID = pick(roll, ["alpha", "beta", "gamma", "delta"])
    return {
      providerID,
      modelID: `m${index}`,
      identity: pick(roll, ["one", "other"]),
      room: pick(roll, [100, 200, 200, 1000]),
    }
  })
  const settings: CombinedDecide.Settings = {
    kinds: pick(roll, STRATEGIES),
    maxAttempts: 1 + Math.floor(roll() * 3),
    firstToken: { lost: 60_000, alive: 60_000 },
    stall: { lost: 60_000, alive: 60_000 },
    onRefusal: pick(roll, ["stop", "next_model"] as const),
    wait: pick(roll, WAITS),
  }
  const bounds = roll() < 0.2 ? { min: 0, max: 20 } : CombinedCooldown.BOUNDS
  // Some worlds are nearly well, some nearly dead, and some know one trouble only.
  const health = roll()
  const ends = roll() < 0.3 ? [ENDS[0], pick(roll, ENDS), pick(roll, ENDS)] : ENDS
  const cancelAt = roll() < 0.2 ? Math.floor(roll() * 10) : Infinity
  const world = { now: 1_000_000, state: new Map() as CombinedCooldown.State, events: 0, cancelled: false }
  const tools = { history: 0, executed: [] as number[] }

  const cancelled = () => {
    if (world.events++ < cancelAt || world.cancelled) return world.cancelled
    world.cancelled = policy.cancelled() === "stop"
    if (!world.cancelled) throw { law: "a cancel ends at once" } satisfies Broken
    return world.cancelled
  }

  const demand = (holds: boolean, law: Law) => {
    if (!holds) throw { law } satisfies Broken
  }

  /** One loop over answers of a kind, until the model is done. Returns how it ended. */
  const loop = (purpose: CombinedDecide.Purpose, steps: number): "served" | "ended" | "cancelled" | "compact" => {
    const run = CombinedRun.make()
    const counts = { all: 0, waited: 0, rounds: 0, refused: "", member: new Map<string, number>() }
    const providers = new Set(members.map((member) => member.providerID)).size
    const reset = () => {
      counts.all = counts.waited = 0
      counts.refused = ""
      counts.member.clear()
    }
    const left = { steps }
    const close = <A>(result: A) => {
      policy.over(run)
      run.answer = result === "cancelled" ? CombinedAnswer.FRESH : run.answer
      demand(
        run.answer.failures.length + run.answer.left.size + run.answer.suspects.length === 0,
        "nothing is left after a run",
      )
      return result
    }
    const view = (answer: CombinedAnswer.Answer): CombinedRank.View => ({
      ...CombinedDecide.wish(answer, purpose),
      state: world.state,
      now: world.now,
      fits: (member) => CombinedRun.mayHold(run, member, (member as Member).room),
    })
    const longest = purpose === "whole" ? 0 : (settings.wait?.max ?? 0)
    const wait = ({ for: span, until, long }: CombinedDecide.Span) => {
      const limit = long ? longest : CombinedDecide.LONGEST_WAIT
      demand(Number.isFinite(span) && span <= limit, "a wait has an end")
      demand(Math.abs(world.now + span - Math.max(world.now, until)) < 1, "a wait ends when it was said to end")
      counts.waited += span
      demand(
        counts.waited < Math.max(CombinedDecide.ENOUGH_WAITING[purpose] + CombinedDecide.LONGEST_WAIT, longest + 1),
        "an answer waits for a limited time in all",
      )
      world.now += span
      demand(!long || CombinedDecide.mayResume(world.now, settings.wait), "no wait ends in the quiet hours")
    }
    const elsewhere = ({ providerID, modelID }: Member) => {
      const failure = { kind: "server", scope: "model", message: "elsewhere" } as const
      world.state = CombinedCooldown.fail(world.state, providerID, modelID, failure, world.now, { bounds })
    }
    /** Whether one that may still be asked is back within the longest wait, and there may be one more wait. */
    const worthIt = () =>
      counts.waited < CombinedDecide.ENOUGH_WAITING[purpose] &&
      members.some((member) => {
        if (member.identity === counts.refused) return false
        const cooldown = CombinedCooldown.cooling(world.state, member.providerID, member.modelID, world.now)
        const soon = (cooldown?.until ?? 0) - world.now <= CombinedDecide.LONGEST_WAIT
        return soon && (counts.member.get(CombinedMember.key(member)) ?? 0) < CombinedDecide.MOST_LEFT
      })

    while (true) {
      demand(++counts.rounds < FOR_EVER, "every answer ends")
      if (cancelled()) return close("cancelled")
      const choice = CombinedRank.choose(members, view(run.answer))
      const member = choice.type === "serve" ? choice.member : (choice.out[0]?.member ?? members[0])
      // Others may learn of a failure between the choice and the request.
      if (roll() < 0.1) elsewhere(member)
      const others = (answer: CombinedAnswer.Answer) =>
        CombinedRank.rank(members, view(answer)).some(
          (item) => !CombinedMember.same(item, member) && CombinedRun.mayHold(run, item, item.room),
        )
      const prepare = () => {
        const cooling = CombinedCooldown.cooling(world.state, member.providerID, member.modelID, world.now)
        const begin = policy.start({
          purpose,
          answer: run.answer,
          member,
          until: cooling?.until,
          probed: roll() < 0.1,
          others: others(run.answer),
          wait: settings.wait,
          now: world.now,
        })
        if (begin.type !== "wait") return begin
        run.answer = CombinedAnswer.wait(run.answer, begin)
        wait(begin)
        return begin
      }
      const first = prepare()
      // While the request is being built, others may learn of one more: it is withdrawn, once.
      const withdrawn = (first.type === "ask" || first.type === "wait") && roll() < 0.1
      if (withdrawn) elsewhere(member)
      const begin = withdrawn ? prepare() : first
      if (cancelled()) return close("cancelled")
      if (begin.type === "move") {
        run.answer = CombinedAnswer.rechoose(run.answer)
        continue
      }
      if (begin.type === "end") {
        run.answer = CombinedAnswer.FRESH
        return close("ended")
      }

      // The request.
      demand(!world.cancelled, "a cancel ends at once")
      demand(counts.refused !== member.identity, "a model that refused is not asked again")
      const key = CombinedMember.key(member)
      counts.all++
      demand(
        counts.all <= CombinedDecide.mostRequests(members.length, providers, settings, purpose),
        "an answer takes a stated number of requests at most",
      )
      counts.member.set(key, (counts.member.get(key) ?? 0) + 1)
      demand((counts.member.get(key) ?? 0) <= 3, "a member is asked three times at most")
      world.now += Math.floor(roll() * 2000)
      const end = roll() < health ? ENDS[0](roll) : pick(roll, ends)(roll)
      if (cancelled()) return close("cancelled")
      const began = purpose === "step" && roll() < 0.4 ? 1 + Math.floor(roll() * 2) : 0
      const kept = Array.from({ length: began }, (_, index) => tools.history + index)
      tools.executed.push(...kept)

      const ended: CombinedDecide.Ended = {
        purpose,
        end,
        settings,
        answer: run.answer,
        member,
        unproven: CombinedCooldown.unproven(world.state, member.providerID, member.modelID, world.now).length > 0,
        forgone: CombinedRun.forgone(run, member),
        started: began > 0,
        others: others(CombinedDecide.without(run.answer, member, end)),
      }
      const failure = policy.cools(ended)
      if (failure)
        world.state = CombinedCooldown.fail(world.state, member.providerID, member.modelID, failure, world.now, {
          bounds,
        })
      if (began) world.now += Math.floor(roll() * 100_000)
      if (end.kind === "too_long" || (end.kind === "rate_limit" && end.long && !ended.others))
        run.tooLong.set(key, member.room)
      const following = CombinedRank.choose(members, view(CombinedDecide.leave(ended)))
      const [soonest] = following.type === "wait" ? following.out : []
      const fits = (item: Member) => CombinedRun.mayHold(run, item, item.room)
      const facts: CombinedDecide.Facts<Member> = {
        ...ended,
        kept: kept.length,
        done: kept.length > 0 && roll() < 0.05,
        full: roll() < 0.1,
        now: world.now,
        next:
          following.type === "serve"
            ? following
            : soonest
              ? { type: "wait", member: soonest.member, until: soonest.cooldown.until, fits: fits(soonest.member) }
              : { type: "none" },
      }
      const verdict = policy.decide(facts)
      if (end.kind === "final" && verdict.type === "move") counts.refused = member.identity
      run.answer = policy.after(facts, verdict)
      const keeps = verdict.type === "serve" || verdict.keep
      tools.history += keeps ? kept.length : 0
      demand(new Set(tools.executed).size === tools.executed.length, "no finished tool runs again")
      // What was taken back is asked for once more, by whoever is next.
      demand(keeps || !kept.length, "no finished tool runs again")

      if (verdict.type === "serve") {
        for (const { failure: blame, ...name } of verdict.blamed)
          world.state = CombinedCooldown.fail(world.state, name.providerID, name.modelID, blame, world.now, { bounds })
        world.state = CombinedCooldown.succeed(world.state, member.providerID, member.modelID, world.now)
        reset()
        if (--left.steps <= 0 || purpose !== "step") return close("served")
        continue
      }
      if (facts.done) {
        run.answer = CombinedAnswer.FRESH
        return close("ended")
      }
      if (verdict.type === "end") {
        demand(verdict.error !== "all" || !worthIt(), "a turn does not give up while one returns soon")
        return close("ended")
      }
      if (verdict.type === "compact") {
        if (purpose !== "step") {
          run.answer = CombinedAnswer.FRESH
          return close("compact")
        }
        run.tooLong.clear()
        const summary = loop("summary", 1)
        if (summary !== "served") {
          run.answer = CombinedAnswer.FRESH
          return close(summary === "cancelled" ? "cancelled" : "ended")
        }
        continue
      }
      if (verdict.type === "again") {
        if (verdict.forgo) CombinedRun.forgo(run, member, verdict.forgo)
        world.now += verdict.pause
        // What is asked again in place is stated apart, in the number for all.
        counts.member.set(key, (counts.member.get(key) ?? 0) - 1)
      }
      if (verdict.type === "wait") wait(verdict)
    }
  }

  try {
    loop(roll() < 0.75 ? "step" : roll() < 0.5 ? "summary" : "whole", 1 + Math.floor(roll() * 4))
    return undefined
  } catch (error) {
    if (typeof error === "object" && error !== null && "law" in error) return (error as Broken).law
    throw error
  }
}

/** Plays that many runs. Returns the first seed whose run breaks a law, and the law. */
export function search(sequences: number, seed: number, policy: Policy = POLICY) {
  for (let count = 0; count < sequences; count++) {
    const law = play(seed + count, policy)
    if (law) return { seed: seed + count, law }
  }
  return undefined
}
