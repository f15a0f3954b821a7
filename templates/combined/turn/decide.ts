/**
 * What happens next: before a request is made, and after it has ended. (While it is silent: silence.ts.) Pure.
 *
 * Takes facts, returns a verdict. Every limit, every wait and every "finished tools stay" is decided here and nowhere
 * else. Whatever drives a turn, a summary, a title or an agent acts on the verdict and decides nothing.
 *
 * The laws (tests/combined/laws.ts): no finished tool runs again; every answer ends after a limited number of requests,
 * whatever the providers say; every wait is announced and has an end; a cancel takes effect at once.
 */
import { CombinedFailure, type Failure, type Fault, type Forgone, type Kind } from "../failure/classify"
import { CombinedAnswer, type Answer, type Suspect } from "../choice/answer"
import { CombinedMember, type Name } from "../member"

/** A member that was asked this often for one answer without giving it is not asked for that answer again. */
export const MOST_LEFT = 3

/** The longest wait for a member to return, in milliseconds. */
export const LONGEST_WAIT = 60_000

/**
 * An answer that has waited this long in all, in milliseconds, does not wait again. The time is limited, not the number
 * of waits: otherwise three short waits would lose a turn that one more second could save. Each wait ends with a
 * request, and the number of requests is limited too.
 */
export const ENOUGH_WAITING = { step: 120_000, summary: 120_000, whole: 60_000 } as const

/**
 * How long a turn may wait for a member that is not back soon, if the user wants that (`combined.wait`): in
 * milliseconds, in all for one answer. `quiet` are the hours in which nothing is resumed, in minutes of the local day.
 */
export type Wait = { readonly max: number; readonly quiet?: { readonly from: number; readonly to: number } }

/** How often another member is chosen for one answer because the chosen one has meanwhile failed elsewhere. */
export const MOST_RECHOSEN = 3

/** The pause before the same member is asked again, long enough for a load balancer to pick another machine. */
const PAUSE = 250

/**
 * How often a `whole` request is repeated after a failure that does not switch. Upstream lets the AI SDK ask twice
 * more, which takes six seconds, or up to a minute each if the provider asks for that.
 */
const WHOLE_REPEATS = 2
const WHOLE_PAUSE = 2000

/**
 * `step`: a step of a turn. `summary`: requested in one piece, outside the loop. `whole`: a title or an agent, not
 * shown before it is complete.
 */
export type Purpose = "step" | "summary" | "whole"

/**
 * Milliseconds of silence: `lost` while nothing at all comes, `alive` while there are signs of life but nothing of the
 * answer.
 */
export type Limit = { readonly lost: number; readonly alive: number }

export type Settings = {
  /** Kinds of failures after which another member is asked; undefined means all. */
  readonly kinds: readonly Kind[] | undefined
  readonly maxAttempts: number
  readonly firstToken: Limit
  readonly stall: Limit
  /** What happens if a model refuses the content; undefined means stop. */
  readonly onRefusal?: "stop" | "next_model"
  /** Wait for a member that is not back soon; undefined means to end with an error. */
  readonly wait?: Wait
}

/** What an answer that ended lacks: a finish reason, any content, a complete call, or everything. */
export type Shortcoming = {
  readonly kind: "shortcoming"
  readonly lacks: "finish" | "content" | "call" | "all"
  readonly message: string
}

/** The user asked for the next provider while the answer was coming. Nothing is wrong with this one. */
export type Passed = { readonly kind: "passed"; readonly message: string }

/** How an attempt ended. The user's cancel is not among them, because then the driver ends at once. */
export type End =
  | { readonly kind: "whole" }
  | Passed
  | Shortcoming
  | Exclude<Fault, Failure>
  | (Failure & { readonly silent?: boolean })

/** The member that could be asked if this one is abandoned, considering its failure. */
export type Next<N extends Name = Name> =
  | {
      readonly type: "serve"
      readonly member: N
      /** The member can take the request: it has room for it and can read it. */
      readonly fits: boolean
    }
  | { readonly type: "wait"; readonly member: N; readonly until: number; readonly fits: boolean }
  | { readonly type: "none" }

/** What is known as soon as an attempt has ended, even if its tools still run. */
export type Ended = {
  readonly purpose: Purpose
  readonly end: End
  readonly settings: Settings
  /** The earlier requests for this answer, without this attempt. */
  readonly answer: Answer
  readonly member: Name
  /** The member failed the last time that it was asked. */
  readonly unproven: boolean
  /** The parts of the history that this member has already refused. */
  readonly forgone: ReadonlySet<Forgone>
  /** A tool has started. */
  readonly started: boolean
  /** Another member could answer now; after a refusal, a different model. */
  readonly others: boolean
  /** The host's error. It is only passed on. */
  readonly error?: unknown
}

export type Facts<N extends Name = Name> = Ended & {
  readonly next: Next<N>
  /** How many tools have finished. Their results stay. */
  readonly kept: number
  /** The user has refused a tool, or a tool gave the answer: the turn ends with what there is. */
  readonly done: boolean
  /** The conversation fills this member's room, and no other member has more. Only needed if the answer is complete. */
  readonly full: boolean
  readonly now: number
}

/**
 * Which error is shown: this one, the first unknown one, those of all members, or that the conversation is too long.
 */
export type Shown = "this" | "first" | "all" | "too long"

/** `keep`: finished tools and their results stay; otherwise the whole attempt is discarded. */
export type Verdict<N extends Name = Name> =
  | {
      readonly type: "serve"
      /** The finish reason to store, if there was none and the answer is accepted. */
      readonly finish: "stop" | undefined
      /** Compact the conversation before the next step. */
      readonly compact: boolean
      /** Members whose failure was not the request's fault after all. */
      readonly blamed: readonly Suspect[]
    }
  | {
      /** Ask the same member again, in the same place. */
      readonly type: "again"
      readonly pause: number
      /** Without this part of the history. */
      readonly forgo: Forgone | undefined
      readonly keep: boolean
    }
  | { readonly type: "move"; readonly to: N; readonly keep: boolean }
  | ({ readonly type: "wait"; readonly member: N; readonly keep: boolean } & Span)
  /** The step and its tools are done. The loop continues with the next step if there is a reason to. */
  | { readonly type: "close"; readonly keep: true }
  | { readonly type: "compact"; readonly keep: false }
  | { readonly type: "end"; readonly error: Shown; readonly keep: false }

/** A wait. `long`: only as long as this because the user wants it; such a wait never ends in the quiet hours. */
export type Span = { readonly for: number; readonly until: number; readonly long: boolean }

/** What happens with an attempt that has ended, once its tools have ended. */
export function decide<N extends Name>(facts: Facts<N>): Verdict<N> {
  const { end, next } = facts
  const keep = facts.kept > 0
  // An error on the same message would drop its finished tools from the history, and they would run again. So with
  // finished tools the step is closed instead.
  const stop = (error: Shown): Verdict<N> =>
    keep ? { type: "close", keep: true } : { type: "end", error, keep: false }
  const go = (who: Next<N>): Verdict<N> | undefined => {
    if (who.type === "serve") return { type: "move", to: who.member, keep }
    const span = who.type === "wait" ? waitFor(facts, facts.settings.wait, who.until) : undefined
    return who.type === "wait" && span ? { type: "wait", member: who.member, ...span, keep } : undefined
  }

  if (serves(facts))
    return {
      type: "serve",
      finish: end.kind === "shortcoming" && (end.lacks === "finish" || end.lacks === "all") ? "stop" : undefined,
      compact: facts.full,
      blamed: facts.answer.suspects,
    }
  if (facts.done) return stop("this")
  if (end.kind === "passed") return go(next) ?? stop("this")
  if (end.kind === "history" && !facts.forgone.has(end.forgo))
    return { type: "again", pause: 0, forgo: end.forgo, keep }
  const pause = repeatAfter(facts)
  if (pause !== undefined) return { type: "again", pause, forgo: undefined, keep }
  if (end.kind === "final") return (asksAnotherModel(facts) && go(next)) || stop("this")

  if (tooLong(facts)) {
    const roomier = next.type !== "none" && next.fits ? go(next) : undefined
    if (roomier || keep || facts.purpose === "whole") return roomier ?? stop("this")
    // Upstream has its own error for a conversation that cannot be summarised.
    if (facts.purpose === "summary" || !facts.answer.compacted) return { type: "compact", keep: false }
    return stop("too long")
  }

  const failure = failureOf(end)
  if (!failure || !movesOn(facts.settings, failure.kind)) return stop("this")
  if (failure.kind === "unknown") {
    const other = facts.answer.suspects.some((item) => !CombinedMember.same(item, facts.member))
    const further = next.type !== "none" && !CombinedMember.same(next.member, facts.member) ? go(next) : undefined
    return other ? stop("first") : (further ?? stop("this"))
  }
  return go(next) ?? stop(facts.purpose === "whole" ? "this" : "all")
}

/** The log's word for a verdict. */
export const ACTIONS = {
  serve: "served",
  again: "repeated",
  move: "moved",
  wait: "waited",
  close: "repeated",
  compact: "ended",
  end: "ended",
} as const satisfies Record<Verdict["type"], string>

/**
 * The log's word for what happened to the attempt. If the turn is done, the attempt has ended, although its step is
 * closed.
 */
export const actionOf = (facts: Facts, verdict: Verdict) => (facts.done ? "ended" : ACTIONS[verdict.type])

/** The class of an end, for the log. */
export function classOf(end: Exclude<End, { kind: "whole" }>) {
  if (end.kind === "final" && end.refusal) return "refusal"
  return end.kind === "shortcoming" ? "network" : end.kind === "history" ? end.forgo : end.kind
}

/** Whether the attempt is served as it is, with nothing dropped. */
export function serves(ended: Ended) {
  const { end } = ended
  const refused = end.kind === "final" && end.refusal === "answer" && !asksAnotherModel(ended)
  return end.kind === "whole" || refused || believes(ended)
}

/**
 * Whether a different model is asked for what this one has refused: once per answer, and only if the user wants that.
 */
function asksAnotherModel({ end, settings, answer, others }: Ended) {
  return (
    end.kind === "final" &&
    end.refusal !== undefined &&
    settings.onRefusal === "next_model" &&
    answer.refused === undefined &&
    others
  )
}

/** The failure that starts a cooldown. Other requests learn about it at once, without waiting for this one's tools. */
export function cools(ended: Ended): Failure | undefined {
  const failure = failureOf(ended.end)
  if (!failure || failure.kind === "unknown" || !movesOn(ended.settings, failure.kind) || tooLong(ended))
    return undefined
  return believes(ended) || repeatAfter(ended) !== undefined ? undefined : failure
}

/** The requests for the answer, after this verdict on an attempt at it. */
export function after(facts: Facts, verdict: Verdict): Answer {
  const { answer, member } = facts
  switch (verdict.type) {
    case "serve":
    case "end":
      return CombinedAnswer.FRESH
    case "again":
      return verdict.forgo ? answer : CombinedAnswer.repeat(answer, member, { message: messageOf(facts.end) })
    case "wait":
      return CombinedAnswer.wait(leave(facts), verdict)
    case "compact":
      return CombinedAnswer.compact(leave(facts))
    case "close": {
      // If the failure is not one for which the member is abandoned, the next step goes to the same member.
      const failure = failureOf(facts.end)
      if (failure && movesOn(facts.settings, failure.kind)) return leave(facts)
      return CombinedAnswer.close(answer, member, { message: messageOf(facts.end) })
    }
  }
  return leave(facts)
}

/** The answer if this member is abandoned; it decides which member is next. */
export function leave(ended: Ended): Answer {
  const failure = failureOf(ended.end)
  return CombinedAnswer.leave(ended.answer, ended.member, {
    message: messageOf(ended.end),
    ...(ended.end.kind !== "whole" && { kind: classOf(ended.end) }),
    ...(ended.end.kind === "final" && ended.end.refusal && { refused: true }),
    ...(ended.end.kind === "shortcoming" && { lacks: ended.end.lacks }),
    ...(ended.end.kind === "timeout" && { silent: ended.end.silent }),
    ...(ended.end.kind === "passed" && { silent: true }),
    ...(failure?.kind === "unknown" && { suspect: { failure, error: ended.error } }),
  })
}

/** The answer for which to look for another member after this end: a model that has refused is not asked again. */
export function without(answer: Answer, member: Name, end: End | undefined): Answer {
  return end?.kind === "final" && end.refusal ? { ...answer, refused: member } : answer
}

/** What the answer requires of the members. */
export function wish(answer: Answer, purpose: Purpose) {
  const left = (member: Name) => answer.left.get(CombinedMember.key(member)) ?? 0
  const closed = (member: Name) => answer.closed.get(CombinedMember.key(member)) ?? 0
  const { refused, bars } = answer
  const open = (member: Name) =>
    left(member) + closed(member) < MOST_LEFT &&
    !(refused && CombinedMember.isSameModel(member, refused)) &&
    !bars.some((bar) => CombinedMember.same(bar, member))
  return {
    left,
    /** Whether the member may still be asked. */
    open,
    failed: (member: Name) =>
      answer.failures.flatMap((item) => (CombinedMember.same(item, member) && item.kind ? [item.kind] : [])),
    /** Whether this member may replace a silent one. Not if it was silent itself. */
    relieves: (member: Name) => open(member) && !answer.silent.has(CombinedMember.key(member)),
    /** How many milliseconds to wait for a member that fits. */
    patience: CombinedAnswer.waited(answer) < ENOUGH_WAITING[purpose] ? LONGEST_WAIT : 0,
  }
}

export type Start =
  | { readonly type: "ask" }
  /** Choose again: the member has become unavailable since it was chosen. */
  | { readonly type: "move" }
  | ({ readonly type: "wait" } & Span)
  | { readonly type: "end" }

/** What happens before a request is made to the chosen member. */
export function start(facts: {
  readonly purpose: Purpose
  readonly answer: Answer
  readonly member: Name
  /** When its cooldown ends. */
  readonly until: number | undefined
  /** Another request is probing whether the member has recovered. */
  readonly probed: boolean
  /** The user rules the member out, or does not want to pay for it. */
  readonly ruledOut?: boolean
  /** Another member that can take the request could answer now. */
  readonly others: boolean
  readonly wait?: Wait
  readonly now: number
}): Start {
  const move = facts.others && facts.answer.rechosen < MOST_RECHOSEN
  if (facts.ruledOut || !wish(facts.answer, facts.purpose).open(facts.member))
    return move ? { type: "move" } : { type: "end" }
  if (facts.until === undefined && !facts.probed) return { type: "ask" }
  if (facts.others) return move ? { type: "move" } : { type: "ask" }
  if (facts.until === undefined) return { type: "ask" }
  // A member that stays unavailable for long is asked once anyway, because it may have recovered.
  const asked = facts.answer.failures.length + facts.answer.waits.length > 0
  const span = waitFor(facts, asked ? facts.wait : undefined, facts.until)
  return span ? { type: "wait", ...span } : { type: "ask" }
}

/**
 * Whether to ask the next member, after this one turned out to be ruled out because of what it costs. A next member
 * that stays unavailable for long is asked once, as at the start of an answer, because it may have recovered.
 */
export function instead(
  facts: { readonly purpose: Purpose; readonly answer: Answer; readonly wait?: Wait; readonly now: number },
  next: Next,
) {
  if (next.type === "none") return false
  if (next.type === "serve" || waitFor(facts, facts.wait, next.until) !== undefined) return true
  return !facts.answer.failures.some((item) => CombinedMember.same(item, next.member))
}

/** The most requests that one answer may take, whatever the members say. */
export function mostRequests(members: number, providers: number, settings: Settings, purpose: Purpose = "step") {
  const repeats = purpose === "whole" ? members * WHOLE_REPEATS : providers * (settings.maxAttempts - 1)
  return members * (MOST_LEFT + CombinedFailure.FORGOABLE.length) + repeats
}

/** Whether another member is asked after a failure of this kind. */
export function movesOn(settings: Pick<Settings, "kinds">, kind: Kind) {
  return settings.kinds?.includes(kind) ?? true
}

/**
 * How long to wait for a member that is back at `until`; undefined if that is too long, or if the answer has waited
 * long enough.
 */
function waitFor(
  { purpose, answer, now }: { readonly purpose: Purpose; readonly answer: Answer; readonly now: number },
  wait: Wait | undefined,
  until: number,
): Span | undefined {
  const pause = Math.max(0, until - now)
  if (pause <= wish(answer, purpose).patience) return { for: pause, until, long: false }
  if (!wait || purpose === "whole") return undefined
  const end = awake(Math.max(until, now), wait)
  return end - now <= wait.max - CombinedAnswer.waited(answer) ? { for: end - now, until: end, long: true } : undefined
}

/** The first moment from `at` on that is not in the quiet hours. */
export function awake(at: number, { quiet }: Pick<Wait, "quiet">) {
  if (!quiet) return at
  const day = new Date(at)
  const minute = day.getHours() * 60 + day.getMinutes()
  const { from, to } = quiet
  const isQuiet = from <= to ? minute >= from && minute < to : minute >= from || minute < to
  if (!isQuiet) return at
  const end = new Date(at)
  // Use the calendar: the clock may change in between (daylight saving time).
  end.setHours(Math.floor(to / 60), to % 60, 0, 0)
  if (end.getTime() <= at) end.setDate(end.getDate() + 1)
  return end.getTime()
}

/** Whether a wait because of `combined.wait` may end early at this moment. */
export function mayResume(now: number, wait: Wait | undefined) {
  return wait === undefined || awake(now, wait) === now
}

/**
 * Whether an answer without an end or without content is accepted, as upstream would accept it. It is if no other
 * member can answer, but only the second time: most connections drop only once, and accepting a partial answer loses
 * text. If the user's settings do not switch after network failures, it is accepted at once.
 *
 * An answer with an incomplete call is never accepted. One of which nothing came is only accepted with such settings.
 */
function believes(ended: Ended) {
  const { end, answer, member } = ended
  if (end.kind !== "shortcoming" || end.lacks === "call" || ended.purpose === "whole") return false
  if (!movesOn(ended.settings, "network")) return true
  if (end.lacks === "all") return false
  const before = answer.failures.some((item) => CombinedMember.same(item, member) && item.lacks === end.lacks)
  return !ended.others && (before || wish(answer, ended.purpose).patience === 0)
}

/** The pause before the same member is asked again; undefined if it is not. */
function repeatAfter(ended: Ended): number | undefined {
  const { end, answer, member, settings } = ended
  const failure = failureOf(end)
  if (!failure || end.kind === "shortcoming") return undefined
  if (ended.purpose === "whole") {
    const pause = failure.retryAfter ?? WHOLE_PAUSE
    const passing = CombinedFailure.passes({ ...failure, retryAfter: undefined })
    const asked = answer.repeats.get(CombinedMember.key(member)) ?? 0
    const again = !movesOn(settings, failure.kind) && passing && asked < WHOLE_REPEATS && pause <= LONGEST_WAIT
    return again ? pause : undefined
  }
  // A transient failure of a healthy member is no reason to switch, as long as no tool has started.
  if (!CombinedFailure.passes(failure) || ended.started || ended.unproven) return undefined
  const before = answer.failures.filter((item) => item.providerID === member.providerID).length
  return before + 1 < settings.maxAttempts ? PAUSE : undefined
}

/**
 * Whether the conversation is too long. A request that exceeds a member's limit per minute only counts as that if no
 * other member can answer.
 */
export function tooLong({ end, others }: Ended) {
  return end.kind === "too_long" || (end.kind === "rate_limit" && end.long === true && !others)
}

/** The member's failure; undefined if the member is not to blame. */
function failureOf(end: End): Failure | undefined {
  switch (end.kind) {
    case "whole":
    case "passed":
    case "too_long":
    case "final":
      return undefined
    case "shortcoming":
      // A connection may cut off a call, or a limit that another member may not have.
      return { kind: end.lacks === "call" ? "unknown" : "network", scope: "model", message: end.message }
    case "history":
      return { kind: "unknown", scope: "model", message: end.message }
    default:
      return end
  }
}

const messageOf = (end: End) => (end.kind === "whole" ? "" : end.message)

export * as CombinedDecide from "./decide"
