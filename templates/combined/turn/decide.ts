/**
 * What happens next: before a request is made, and after it has ended. While it is silent: silence.ts. Pure.
 *
 * Takes facts, returns a verdict. Every limit, every wait and every "finished tools stay" is decided here and nowhere
 * else; whatever drives a turn, a summary, a title or an agent acts on the verdict and decides nothing.
 *
 * The laws (tests/combined/laws.ts): no finished tool runs again; every answer ends after a limited number of requests,
 * whatever the providers say; every wait is announced and has an end; a cancel takes effect at once.
 */
import { CombinedFailure, type Failure, type Fault, type Forgone, type Kind } from "../failure/classify"
import { CombinedAnswer, type Answer, type Suspect } from "../choice/answer"
import { CombinedMember, type Name } from "../member"

/** A member that was asked this often for one answer without giving it is not asked for it again. */
export const MOST_LEFT = 3

/** The longest wait for a member to return, in milliseconds. */
export const LONGEST_WAIT = 60_000

/**
 * One answer that has waited this long in all, in milliseconds, does not wait again. The time is limited, not the
 * number of waits: otherwise three short ones would lose a turn that another second could save. Each wait ends with a
 * request, and the number of requests is limited.
 */
export const ENOUGH_WAITING = { step: 120_000, summary: 120_000, whole: 60_000 } as const

/**
 * How long a turn may wait on the user's wish (`combined.wait`) for a member that is not back soon, in milliseconds in
 * all for one answer, and the hours in which nothing is resumed, in minutes of the local day.
 */
export type Wait = { readonly max: number; readonly quiet?: { readonly from: number; readonly to: number } }

/** How often another member is chosen for one answer because the chosen one has failed elsewhere in the meantime. */
export const MOST_RECHOSEN = 3

/** The pause before the same member is asked again. Long enough for a load balancer to pick another machine. */
const PAUSE = 250

/**
 * Requests for something whole are repeated after a failure that does not switch: upstream lets the AI SDK ask twice
 * more, which takes six seconds, or up to a minute each if the provider says so.
 */
const WHOLE_REPEATS = 2
const WHOLE_PAUSE = 2000

/**
 * `step`: of a turn. `summary`: requested in one piece, outside the loop. `whole`: a title or an agent; not shown
 * while it comes.
 */
export type Purpose = "step" | "summary" | "whole"

/** Milliseconds of silence: while nothing at all comes, and while signs of life come but nothing of the answer. */
export type Limit = { readonly lost: number; readonly alive: number }

export type Settings = {
  /** Kinds of failures after which another member is asked; undefined means all. */
  readonly kinds: readonly Kind[] | undefined
  readonly maxAttempts: number
  readonly firstToken: Limit
  readonly stall: Limit
  /** What follows when a model refuses the content; undefined means stop. */
  readonly onRefusal?: "stop" | "next_model"
  /** Wait for a member that is not back soon; undefined means end with an error. */
  readonly wait?: Wait
}

/** An answer that ended: without a finish reason, without any content, with an incomplete call, or before it began. */
export type Shortcoming = {
  readonly kind: "shortcoming"
  readonly lacks: "finish" | "content" | "call" | "all"
  readonly message: string
}

/** The user asked for the next provider while the answer was coming; nothing is wrong with this one. */
export type Passed = { readonly kind: "passed"; readonly message: string }

/** How an attempt ended. The user's cancel is not included: the driver ends at once. */
export type End =
  | { readonly kind: "whole" }
  | Passed
  | Shortcoming
  | Exclude<Fault, Failure>
  | (Failure & { readonly silent?: boolean })

/** Which members could be asked if this one were abandoned, taking its failure into account. */
export type Next<N extends Name = Name> =
  | {
      readonly type: "serve"
      readonly member: N
      /** It can take the request: it has room for it and can read it. */
      readonly fits: boolean
    }
  | { readonly type: "wait"; readonly member: N; readonly until: number; readonly fits: boolean }
  | { readonly type: "none" }

/** What is known as soon as an attempt has ended, before running tools have. */
export type Ended = {
  readonly purpose: Purpose
  readonly end: End
  readonly settings: Settings
  /** The earlier requests for this answer, without this attempt. */
  readonly answer: Answer
  readonly member: Name
  /** The member failed the last time it was asked. */
  readonly unproven: boolean
  /** The parts of the history that this member has already refused. */
  readonly forgone: ReadonlySet<Forgone>
  /** A tool has started. */
  readonly started: boolean
  /** Another member could answer now; after a refusal, a different model. */
  readonly others: boolean
  /** The host's error, which is only passed on. */
  readonly error?: unknown
}

export type Facts<N extends Name = Name> = Ended & {
  readonly next: Next<N>
  /** Finished tools, whose results stay. */
  readonly kept: number
  /** The user has refused a tool, or a tool gave the answer: the turn ends with what there is. */
  readonly done: boolean
  /** The conversation fills this member's room, and no other has more; only needed if the answer is complete. */
  readonly full: boolean
  readonly now: number
}

/** Which error is shown: this one, the first unknown one, every member's, or that the conversation is too long. */
export type Shown = "this" | "first" | "all" | "too long"

/** `keep`: finished tools and their results stay; otherwise the whole attempt is discarded. */
export type Verdict<N extends Name = Name> =
  | {
      readonly type: "serve"
      /** Stored as the finish reason if there was none and the answer is accepted. */
      readonly finish: "stop" | undefined
      /** Compact the conversation before the next step. */
      readonly compact: boolean
      /** Their failures were not the request's fault after all. */
      readonly blamed: readonly Suspect[]
    }
  | {
      /** The same member, in place. */
      readonly type: "again"
      readonly pause: number
      /** Without this part of the history. */
      readonly forgo: Forgone | undefined
      readonly keep: boolean
    }
  | { readonly type: "move"; readonly to: N; readonly keep: boolean }
  | ({ readonly type: "wait"; readonly member: N; readonly keep: boolean } & Span)
  /** The step and its tools are done. The loop continues with the next one, if there is a reason to. */
  | { readonly type: "close"; readonly keep: true }
  | { readonly type: "compact"; readonly keep: false }
  | { readonly type: "end"; readonly error: Shown; readonly keep: false }

/** A wait. `long`: longer than without the user's wish, so that it never ends in the quiet hours. */
export type Span = { readonly for: number; readonly until: number; readonly long: boolean }

/** What happens with an attempt that has ended, once its tools have ended. */
export function decide<N extends Name>(facts: Facts<N>): Verdict<N> {
  const { end, next } = facts
  const keep = facts.kept > 0
  // With an error on the same message, finished tools would be dropped from the history and run again: the error goes
  // elsewhere.
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
    // Upstream knows what to say about a conversation that cannot be summarised.
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

/** The log's word for what happened to the attempt: a step that closes because the turn is done has ended. */
export const actionOf = (facts: Facts, verdict: Verdict) => (facts.done ? "ended" : ACTIONS[verdict.type])

/** The class of an end, for the log. */
export function classOf(end: Exclude<End, { kind: "whole" }>) {
  if (end.kind === "final" && end.refusal) return "refusal"
  return end.kind === "shortcoming" ? "network" : end.kind === "history" ? end.forgo : end.kind
}

/** Whether the attempt is served as it is, so that nothing of it is dropped. */
export function serves(ended: Ended) {
  const { end } = ended
  const refused = end.kind === "final" && end.refusal === "answer" && !asksAnotherModel(ended)
  return end.kind === "whole" || refused || believes(ended)
}

/** Whether a different model is asked for what this one refused: once for an answer, and only if the user wants that. */
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
      // The next step goes to the same member if its failure is not one for which it is abandoned.
      const failure = failureOf(facts.end)
      if (failure && movesOn(facts.settings, failure.kind)) return leave(facts)
      return CombinedAnswer.close(answer, member, { message: messageOf(facts.end) })
    }
  }
  return leave(facts)
}

/** The answer if this member is abandoned, which decides who is next. */
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

/** The answer for which to find another member, after one has ended like this: one that refuses is not asked again. */
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
    /** Whether it may still be asked. */
    open,
    failed: (member: Name) =>
      answer.failures.flatMap((item) => (CombinedMember.same(item, member) && item.kind ? [item.kind] : [])),
    /** Whether a silent member may be abandoned for it. Not for one that was silent as well. */
    relieves: (member: Name) => open(member) && !answer.silent.has(CombinedMember.key(member)),
    /** How many milliseconds to wait for a member. */
    patience: CombinedAnswer.waited(answer) < ENOUGH_WAITING[purpose] ? LONGEST_WAIT : 0,
  }
}

export type Start =
  | { readonly type: "ask" }
  /** Choose again: this one has become unavailable since it was chosen. */
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
  /** Another request is testing whether it has recovered. */
  readonly probed: boolean
  /** The user does not want it asked, or what it costs. */
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
  // One that stays unavailable for long is asked once anyway: it may have recovered.
  const asked = facts.answer.failures.length + facts.answer.waits.length > 0
  const span = waitFor(facts, asked ? facts.wait : undefined, facts.until)
  return span ? { type: "wait", ...span } : { type: "ask" }
}

/**
 * Whether the next member is asked in place of one that may not be because of what it costs. One that stays unavailable
 * for long is asked once, as at the start of an answer: it may have recovered.
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
 * How long to wait for a member that returns then; undefined if that is too long, or the answer has waited for long
 * enough.
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

/** The first moment from then on that is not in the quiet hours. */
export function awake(at: number, { quiet }: Pick<Wait, "quiet">) {
  if (!quiet) return at
  const day = new Date(at)
  const minute = day.getHours() * 60 + day.getMinutes()
  const { from, to } = quiet
  const isQuiet = from <= to ? minute >= from && minute < to : minute >= from || minute < to
  if (!isQuiet) return at
  const end = new Date(at)
  // The local clock may be set in between, which the calendar knows.
  end.setHours(Math.floor(to / 60), to % 60, 0, 0)
  if (end.getTime() <= at) end.setDate(end.getDate() + 1)
  return end.getTime()
}

/** Whether a wait on the user's wish may end early at this moment. */
export function mayResume(now: number, wait: Wait | undefined) {
  return wait === undefined || awake(now, wait) === now
}

/**
 * An answer without an end or without content is accepted, as upstream does, if no other member can answer, but only
 * the second time: most connections drop only once, and a partial answer would mean lost text. One with an incomplete
 * call is never accepted, nor is one of which nothing came.
 */
function believes(ended: Ended) {
  const { end, answer, member } = ended
  if (end.kind !== "shortcoming" || end.lacks === "call" || ended.purpose === "whole") return false
  if (!movesOn(ended.settings, "network")) return true
  if (end.lacks === "all") return false
  const before = answer.failures.some((item) => CombinedMember.same(item, member) && item.lacks === end.lacks)
  return !ended.others && (before || wish(answer, ended.purpose).patience === 0)
}

/** The pause before the same member is retried, if it is. */
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
  // A transient failure of a healthy member is no reason to switch, as long as nothing has been done yet.
  if (!CombinedFailure.passes(failure) || ended.started || ended.unproven) return undefined
  const before = answer.failures.filter((item) => item.providerID === member.providerID).length
  return before + 1 < settings.maxAttempts ? PAUSE : undefined
}

/** More than a member allows per minute is only too long for that one, as long as another one can answer. */
export function tooLong({ end, others }: Ended) {
  return end.kind === "too_long" || (end.kind === "rate_limit" && end.long === true && !others)
}

/** What the end says about the member; nothing if it is the request's own fault. */
function failureOf(end: End): Failure | undefined {
  switch (end.kind) {
    case "whole":
    case "passed":
    case "too_long":
    case "final":
      return undefined
    case "shortcoming":
      // A call is cut off by the connection, or by a limit that another member may not have.
      return { kind: end.lacks === "call" ? "unknown" : "network", scope: "model", message: end.message }
    case "history":
      return { kind: "unknown", scope: "model", message: end.message }
    default:
      return end
  }
}

const messageOf = (end: End) => (end.kind === "whole" ? "" : end.message)

export * as CombinedDecide from "./decide"
