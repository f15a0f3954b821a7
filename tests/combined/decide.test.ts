import { describe, expect, test } from "bun:test"
import { CombinedAnswer } from "@/combined/choice/answer"
import { CombinedDecide } from "@/combined/turn/decide"

const NOW = 1_000_000
const alpha = { providerID: "alpha", modelID: "glm" }
const beta = { providerID: "beta", modelID: "glm" }

const SILENCE = { lost: 300_000, alive: 900_000 }
const SETTINGS: CombinedDecide.Settings = { kinds: undefined, maxAttempts: 2, firstToken: SILENCE, stall: SILENCE }

const facts = (end: CombinedDecide.End, more: Partial<CombinedDecide.Facts> = {}): CombinedDecide.Facts => ({
  purpose: "step",
  end,
  settings: SETTINGS,
  answer: CombinedAnswer.FRESH,
  member: alpha,
  unproven: false,
  forgone: new Set(),
  started: false,
  others: true,
  next: { type: "serve", member: beta, fits: true },
  kept: 0,
  done: false,
  full: false,
  now: NOW,
  ...more,
})

const failure = (kind: "overload" | "rate_limit" | "quota" | "network" | "unknown", more = {}) =>
  ({ kind, scope: "model", message: kind, ...more }) as const

const soon = { type: "wait", member: beta, until: NOW + 5000, fits: true } as const
const late = { type: "wait", member: beta, until: NOW + 120_000, fits: true } as const
const none = { type: "none" } as const

const again = CombinedAnswer.repeat(CombinedAnswer.FRESH, alpha, { message: "before" })
const left = (lacks?: string) => CombinedAnswer.leave(CombinedAnswer.FRESH, alpha, { message: "before", lacks })
const waited = (...waits: readonly number[]): CombinedAnswer.Answer => ({ ...CombinedAnswer.FRESH, waits })
const suspected = CombinedAnswer.leave(CombinedAnswer.FRESH, beta, {
  message: "strange",
  suspect: { failure: failure("unknown"), error: "first" },
})
const compacted = CombinedAnswer.compact(CombinedAnswer.FRESH)

const tooLong = { kind: "too_long", message: "too long" } as const
const refused = { kind: "final", message: "refused" } as const
const content = { kind: "final", refusal: "error", message: "content" } as const
const filtered = { kind: "final", refusal: "answer", message: "filtered" } as const
const moving = { settings: { ...SETTINGS, onRefusal: "next_model" } } as const
const otherRefused = CombinedAnswer.leave(CombinedAnswer.FRESH, beta, { message: "content", refused: true })
const passed = { kind: "passed", message: "the next, please" } as const
const thinking = { kind: "history", forgo: "thinking", message: "bad signature" } as const
const lacking = (lacks: CombinedDecide.Shortcoming["lacks"]) => ({ kind: "shortcoming", lacks, message: lacks }) as const

/** The tables of docs/failover.md: what is known, and what follows. */
const CASES: readonly [
  string,
  CombinedDecide.End,
  Partial<CombinedDecide.Facts>,
  Partial<Record<string, unknown>> & { type: CombinedDecide.Verdict["type"] },
][] = [
  ["a complete answer is served", { kind: "whole" }, {}, { type: "serve", finish: undefined, compact: false }],
  ["a full one is compacted for", { kind: "whole" }, { full: true }, { type: "serve", compact: true }],

  ["a transient failure is retried", failure("overload"), {}, { type: "again", pause: 250, keep: false }],
  ["but not a second time", failure("overload"), { answer: again }, { type: "move", to: beta }],
  ["nor of a member that failed last time", failure("overload"), { unproven: true }, { type: "move", to: beta }],
  ["nor once a tool has started", failure("overload"), { started: true, kept: 1 }, { type: "move", keep: true }],
  ["nor where it lasts", failure("network", { lasting: true }), {}, { type: "move", to: beta, keep: false }],
  ["nor where the provider names a time", failure("overload", { retryAfter: 900 }), {}, { type: "move" }],
  ["a rate limit switches at once", failure("rate_limit"), {}, { type: "move", to: beta, keep: false }],

  ["the user's wish moves on", passed, {}, { type: "move", to: beta, keep: false }],
  ["with finished tools", passed, { started: true, kept: 1 }, { type: "move", keep: true }],
  ["and ends where nobody is left", passed, { next: none }, { type: "end", error: "this" }],

  [
    "the first to return is waited for",
    failure("rate_limit"),
    { next: soon },
    { type: "wait", for: 5000, member: beta },
  ],
  ["with its finished tools", failure("rate_limit"), { next: soon, kept: 1 }, { type: "wait", keep: true }],
  ["but not for long", failure("rate_limit"), { next: late }, { type: "end", error: "all" }],
  [
    "nor for long in all",
    failure("rate_limit"),
    { next: soon, answer: waited(60_000, 60_000) },
    { type: "end", error: "all" },
  ],
  [
    "but any number of times if that is short",
    failure("rate_limit"),
    { next: soon, answer: waited(800, 100, 1000) },
    { type: "wait", for: 5000 },
  ],
  ["finished tools stay before the end", failure("rate_limit"), { next: none, kept: 1 }, { type: "close" }],

  [
    "a failure that the strategy excludes ends the turn",
    failure("quota"),
    { settings: { ...SETTINGS, kinds: ["rate_limit"] } },
    { type: "end", error: "this" },
  ],
  ["a failure of the request ends it", refused, {}, { type: "end", error: "this" }],
  ["refused content ends it", content, {}, { type: "end", error: "this" }],
  ["an answer that was cut off for its content is served", filtered, {}, { type: "serve", finish: undefined }],
  ["unless the user wants a different model to be asked", content, moving, { type: "move", to: beta, keep: false }],
  ["also in the middle of an answer", filtered, moving, { type: "move", to: beta, keep: false }],
  ["and finished tools stay", filtered, { ...moving, kept: 1 }, { type: "move", to: beta, keep: true }],
  ["but there has to be one", content, { ...moving, others: false }, { type: "end", error: "this" }],
  ["or the answer stays as it is", filtered, { ...moving, others: false }, { type: "serve" }],
  ["only one more is asked", content, { ...moving, answer: otherRefused }, { type: "end", error: "this" }],
  ["whose answer stays", filtered, { ...moving, answer: otherRefused }, { type: "serve" }],
  ["but no finished tool is lost to that", refused, { kept: 2 }, { type: "close", keep: true }],

  ["after an unknown failure one more is asked", failure("unknown"), {}, { type: "move", to: beta }],
  ["and then believed", failure("unknown"), { answer: suspected }, { type: "end", error: "first" }],
  [
    "not of the same one",
    failure("unknown"),
    { next: { type: "serve", member: alpha, fits: true } },
    { type: "end", error: "this" },
  ],

  ["too long: one with as much room", tooLong, {}, { type: "move", to: beta }],
  [
    "too long: none that fits, so it is compacted",
    tooLong,
    { next: { type: "serve", member: beta, fits: false } },
    { type: "compact" },
  ],
  ["too long even after that", tooLong, { next: none, answer: compacted }, { type: "end", error: "too long" }],
  ["a summary that is too long", tooLong, { next: none, purpose: "summary" }, { type: "compact" }],
  [
    "more than the limit per minute is a rate limit",
    failure("rate_limit", { long: true }),
    { others: true },
    { type: "move" },
  ],
  [
    "and too long if no other member can answer",
    failure("rate_limit", { long: true }),
    { others: false, next: none },
    { type: "compact" },
  ],

  ["refused thinking is left out", thinking, {}, { type: "again", pause: 0, forgo: "thinking", keep: false }],
  ["after a finished tool too", thinking, { kept: 1 }, { type: "again", forgo: "thinking", keep: true }],
  ["once", thinking, { forgone: new Set(["thinking"] as const) }, { type: "move", to: beta }],

  ["a partial answer switches", lacking("finish"), {}, { type: "move", to: beta }],
  ["the last remaining one is asked once more", lacking("finish"), { others: false, next: soon }, { type: "wait" }],
  ["and believed", lacking("finish"), { others: false, answer: left("finish") }, { type: "serve", finish: "stop" }],
  ["an empty one too", lacking("content"), { others: false, answer: left("content") }, { type: "serve" }],
  [
    "an incomplete call never is",
    lacking("call"),
    { others: false, answer: left("call"), next: none },
    { type: "end" },
  ],
  ["nor one of which nothing came", lacking("all"), { others: false, answer: left("all"), next: none }, { type: "end" }],
  ["which is asked for again", lacking("all"), { others: false, answer: left("all"), next: soon }, { type: "wait" }],
  ["nor a title", lacking("finish"), { others: false, purpose: "whole", next: none }, { type: "end", error: "this" }],

  [
    "a refused tool ends the turn with what there is",
    failure("rate_limit"),
    { done: true, kept: 1 },
    { type: "close" },
  ],
]

describe("what happens after an attempt:", () => {
  for (const [name, end, more, verdict] of CASES)
    test(name, () => {
      expect(CombinedDecide.decide(facts(end, more))).toMatchObject(verdict)
    })
})

test("an unknown failure starts no cooldown until another member has answered", () => {
  expect(CombinedDecide.cools(facts(failure("unknown")))).toBeUndefined()
  const verdict = CombinedDecide.decide(facts({ kind: "whole" }, { answer: suspected }))
  expect(verdict).toMatchObject({ blamed: [{ ...beta, failure: { kind: "unknown" } }] })
})

test("a failure that is retried, or believed, starts no cooldown", () => {
  expect(CombinedDecide.cools(facts(failure("overload")))).toBeUndefined()
  expect(CombinedDecide.cools(facts(lacking("finish"), { others: false, answer: left("finish") }))).toBeUndefined()
  expect(CombinedDecide.cools(facts(failure("rate_limit")))).toMatchObject({ kind: "rate_limit" })
})

describe("before a request:", () => {
  const start = (more: Partial<Parameters<typeof CombinedDecide.start>[0]>) =>
    CombinedDecide.start({
      purpose: "step",
      answer: CombinedAnswer.FRESH,
      member: alpha,
      until: undefined,
      probed: false,
      others: true,
      now: NOW,
      ...more,
    })

  test("a healthy member is asked", () => {
    expect(start({})).toEqual({ type: "ask" })
  })

  test("one that has become unavailable since it was chosen, or is being probed, is skipped", () => {
    expect(start({ until: NOW + 5000 })).toEqual({ type: "move" })
    expect(start({ probed: true })).toEqual({ type: "move" })
    expect(start({ probed: true, others: false })).toEqual({ type: "ask" })
  })

  test("another member is chosen a few times at most, and then the chosen one is asked", () => {
    const answer = [1, 2, 3].reduce((known) => CombinedAnswer.rechoose(known), CombinedAnswer.FRESH)
    expect(start({ answer, until: NOW + 5000 })).toEqual({ type: "ask" })
  })

  test("the only one is waited for if that is short, else asked: it may have recovered", () => {
    expect(start({ until: NOW + 5000, others: false })).toEqual({
      type: "wait",
      for: 5000,
      until: NOW + 5000,
      long: false,
    })
    expect(start({ until: NOW + 500_000, others: false })).toEqual({ type: "ask" })
  })

  test("no member is asked for one answer more than three times", () => {
    const answer = [1, 2, 3].reduce(
      (known) => CombinedAnswer.leave(known, alpha, { message: "no" }),
      CombinedAnswer.FRESH,
    )
    expect(start({ answer, others: false })).toEqual({ type: "end" })
  })
})

test("after a refusal no member of the same model is asked, and nobody is avoided", () => {
  const ended = facts(content, { ...moving, member: { ...alpha, identity: "glm" } })
  expect(CombinedDecide.cools(ended)).toBeUndefined()
  const { open } = CombinedDecide.wish(CombinedDecide.leave(ended), "step")
  expect(open({ providerID: "beta", modelID: "glm", identity: "glm" })).toBe(false)
  expect(open({ providerID: "alpha", modelID: "gpt", identity: "gpt" })).toBe(true)
})

describe("a wait on the user's wish:", () => {
  const HOUR = 3_600_000
  const wait = { max: 6 * HOUR }
  const settings = { ...SETTINGS, wait }
  const back = (at: number) => ({ type: "wait", member: beta, until: at, fits: true }) as const
  const decide = (more: Partial<CombinedDecide.Facts>) =>
    CombinedDecide.decide(facts(failure("quota"), { settings, others: false, ...more }))

  test("a member that returns within the time is waited for", () => {
    expect(decide({ next: back(NOW + 5 * HOUR) })).toMatchObject({ type: "wait", for: 5 * HOUR, long: true })
    expect(decide({ next: back(NOW + 7 * HOUR) })).toMatchObject({ type: "end", error: "all" })
    expect(decide({ next: back(NOW + 5 * HOUR), settings: SETTINGS })).toMatchObject({ type: "end" })
    expect(decide({ next: back(NOW + 5000) })).toMatchObject({ type: "wait", for: 5000, long: false })
  })

  test("what an answer has waited already counts", () => {
    const answer = CombinedAnswer.resumed([], 4 * HOUR)
    expect(decide({ answer, next: back(NOW + HOUR) })).toMatchObject({ type: "wait", long: true })
    expect(decide({ answer, next: back(NOW + 3 * HOUR) })).toMatchObject({ type: "end" })
  })

  test("a title is not waited for", () => {
    expect(decide({ purpose: "whole", next: back(NOW + 5 * HOUR) })).toMatchObject({ type: "end" })
  })

  test("a turn that starts while all are out asks once, one that goes on does not", () => {
    const start = (answer: typeof CombinedAnswer.FRESH) =>
      CombinedDecide.start({
        purpose: "step",
        answer,
        member: alpha,
        until: NOW + 5 * HOUR,
        probed: false,
        others: false,
        wait,
        now: NOW,
      })
    expect(start(CombinedAnswer.FRESH)).toEqual({ type: "ask" })
    expect(start(CombinedAnswer.resumed([], 1000))).toMatchObject({ type: "wait", for: 5 * HOUR, long: true })
  })

  test("nothing is resumed in the quiet hours", () => {
    const quiet = { from: 23 * 60, to: 7 * 60 }
    const at = (hours: number, minutes = 0, day = 3) => new Date(2026, 2, day, hours, minutes).getTime()
    expect(CombinedDecide.awake(at(22, 59), { quiet })).toBe(at(22, 59))
    expect(CombinedDecide.awake(at(23), { quiet })).toBe(at(7, 0, 4))
    expect(CombinedDecide.awake(at(3, 30), { quiet })).toBe(at(7))
    expect(CombinedDecide.awake(at(7), { quiet })).toBe(at(7))
    expect(CombinedDecide.awake(at(13), { quiet: { from: 12 * 60, to: 14 * 60 } })).toBe(at(14))
    expect(CombinedDecide.mayResume(at(2), { max: HOUR, quiet })).toBe(false)
    const night = { settings: { ...SETTINGS, wait: { max: 10 * HOUR, quiet } }, now: at(22) }
    expect(decide({ ...night, next: back(at(1, 0, 4)) })).toMatchObject({ type: "wait", until: at(7, 0, 4) })
    const short = { settings: { ...SETTINGS, wait: { max: 6 * HOUR, quiet } }, now: at(22) }
    expect(decide({ ...short, next: back(at(1, 0, 4)) })).toMatchObject({ type: "end" })
  })
})
