import { expect, test } from "bun:test"
import type { CombinedFailure } from "@/combined/failure/classify"
import { CombinedCooldown } from "@/combined/health/cooldown"
import { parsed } from "@/combined/value"

const NOW = 1_000_000
const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE

const failure = (kind: CombinedFailure.Kind, more: Partial<CombinedFailure.Failure> = {}): CombinedFailure.Failure => ({
  kind,
  scope: "model",
  message: kind,
  ...more,
})

const fail = (item: CombinedFailure.Failure, state: CombinedCooldown.State = new Map(), now = NOW) =>
  CombinedCooldown.fail(state, "acme", "glm", item, now)

const length = (state: CombinedCooldown.State, now = NOW, modelID = "glm") => {
  const found = CombinedCooldown.cooling(state, "acme", modelID, now)
  return found ? found.until - now : 0
}

const KINDS = ["rate_limit", "quota", "overload", "server", "auth", "missing", "network", "timeout"] as const

test("a member that never failed is not cooling down", () => {
  expect(CombinedCooldown.cooling(new Map(), "acme", "glm", NOW)).toBeUndefined()
})

test("a transient failure costs seconds, a rate limit a minute, quota and credentials much more", () => {
  for (const kind of ["overload", "server", "network", "timeout"] as const)
    expect(length(fail(failure(kind)))).toBeLessThanOrEqual(10_000)
  expect(length(fail(failure("rate_limit")))).toBe(MINUTE)
  for (const kind of ["quota", "auth", "missing"] as const)
    expect(length(fail(failure(kind)))).toBeGreaterThanOrEqual(10 * MINUTE)
})

for (const kind of KINDS) {
  test(`the cooldown for ${kind} grows with each consecutive failure and ends within a day`, () => {
    const lengths = Array.from({ length: 30 }).reduce<{ state: CombinedCooldown.State; seen: number[] }>(
      ({ state, seen }) => {
        const next = fail(failure(kind), state)
        return { state: next, seen: [...seen, length(next)] }
      },
      { state: new Map(), seen: [] },
    ).seen
    expect(lengths[1]).toBeGreaterThan(lengths[0])
    expect(lengths).toEqual(lengths.toSorted((a, b) => a - b))
    expect(lengths.at(-1)).toBeLessThanOrEqual(DAY)
  })
}

test("a quota is looked at again soon after a first failure, later after each that repeats, soon again after a success", () => {
  const failing = [0, 1, 2, 3, 4, 5].reduce<{ state: CombinedCooldown.State; now: number; seen: number[] }>(
    ({ state, now, seen }) => {
      const next = fail(failure("quota"), state, now)
      const wait = length(next, now)
      return { state: next, now: now + wait, seen: [...seen, wait / MINUTE] }
    },
    { state: new Map(), now: NOW, seen: [] },
  )
  expect(failing.seen).toEqual([30, 60, 120, 240, 360, 360])
  const well = CombinedCooldown.succeed(failing.state, "acme", "glm", failing.now)
  expect(length(fail(failure("quota"), well, failing.now + 1), failing.now + 1)).toBe(30 * MINUTE)
})

test("the time from the provider is used, short or long, but at least a second", () => {
  expect(length(fail(failure("quota", { retryAfter: 1200 })))).toBe(1200)
  for (const retryAfter of [0, 1, 66]) expect(length(fail(failure("rate_limit", { retryAfter })))).toBe(1000)
  expect(length(fail(failure("overload", { retryAfter: 10 * 60 * MINUTE })))).toBe(10 * 60 * MINUTE)
})

test("a time that was too short is not believed twice; a longer one is", () => {
  const named = (retryAfter: number, state?: CombinedCooldown.State, now?: number) =>
    fail(failure("rate_limit", { retryAfter }), state, now)
  const once = named(2000)
  const twice = named(2000, once, NOW + 2000)
  expect(length(twice, NOW + 2000)).toBe(MINUTE)
  expect(length(named(2000, twice, NOW + 2 * MINUTE), NOW + 2 * MINUTE)).toBe(2 * MINUTE)
  expect(length(named(60 * MINUTE, once, NOW + 2000), NOW + 2000)).toBe(60 * MINUTE)
  const well = CombinedCooldown.succeed(once, "acme", "glm", NOW + 2000)
  expect(length(named(2000, well, NOW + 3000), NOW + 3000)).toBe(2000)
})

test("simultaneous requests count as one failure", () => {
  const blip = (state: CombinedCooldown.State, at: number) =>
    CombinedCooldown.fail(state, "acme", "glm", failure("overload"), NOW + at, { began: NOW - 1 })
  const four = [0, 10, 20, 9000].reduce(blip, new Map())
  expect(four.get("acme/glm")).toMatchObject({ failures: 1, since: NOW + 9000, until: NOW + 14_000 })
  const next = CombinedCooldown.fail(four, "acme", "glm", failure("overload"), NOW + 15_000, { began: NOW + 14_000 })
  expect(next.get("acme/glm")).toMatchObject({ failures: 2, until: NOW + 25_000 })
})

test("a shorter cooldown of a simultaneous request does not end a longer one", () => {
  const long = CombinedCooldown.fail(new Map(), "acme", "glm", failure("quota", { scope: "provider" }), NOW)
  const lost = failure("network", { scope: "provider" })
  const both = CombinedCooldown.fail(long, "acme", "glm", lost, NOW + 10, { began: NOW - 1 })
  expect(CombinedCooldown.cooling(both, "acme", "glm", NOW + MINUTE)?.kind).toBe("quota")
  // Nor does its success, if it began before.
  const answered = CombinedCooldown.succeed(both, "acme", "glm", NOW + 5)
  expect(CombinedCooldown.cooling(answered, "acme", "glm", NOW + MINUTE)?.kind).toBe("quota")
})

test("failures of one kind do not lengthen the cooldown of another", () => {
  const often = [0, 1, 2, 3, 4, 5].reduce<CombinedCooldown.State>(
    (state, at) => fail(failure("network"), state, NOW + at * 10 * MINUTE),
    new Map(),
  )
  const first = length(fail(failure("auth")))
  expect(length(fail(failure("auth"), often, NOW + DAY / 2), NOW + DAY / 2)).toBe(first)
  const timeout = fail(failure("timeout"), fail(failure("overload")), NOW + MINUTE)
  expect(length(timeout, NOW + MINUTE)).toBeGreaterThan(length(fail(failure("timeout"))))
})

test("no provider can ask for more than a day", () => {
  expect(length(fail(failure("rate_limit", { retryAfter: 365 * DAY })))).toBe(DAY)
})

test("a cooldown ends by itself, at its time and not before", () => {
  const state = fail(failure("rate_limit"))
  expect(length(state, NOW + MINUTE - 1)).toBe(1)
  expect(CombinedCooldown.cooling(state, "acme", "glm", NOW + MINUTE)).toBeUndefined()
})

test("a failure of one model does not affect the provider's others", () => {
  const state = fail(failure("rate_limit"))
  expect(CombinedCooldown.cooling(state, "acme", "kimi", NOW)).toBeUndefined()
  expect(CombinedCooldown.cooling(state, "other", "glm", NOW)).toBeUndefined()
})

test("a failure of the provider affects all of its models, and no other provider", () => {
  const state = fail(failure("auth", { scope: "provider" }))
  expect(length(state, NOW, "kimi")).toBeGreaterThan(0)
  expect(CombinedCooldown.cooling(state, "acme-two", "glm", NOW)).toBeUndefined()
})

test("the longer one of a model's and its provider's cooldown counts", () => {
  const long = fail(
    failure("quota", { scope: "provider", retryAfter: 9000 }),
    fail(failure("rate_limit", { retryAfter: 500 })),
  )
  expect(CombinedCooldown.cooling(long, "acme", "glm", NOW)).toMatchObject({ kind: "quota", until: NOW + 9000 })
  const short = fail(failure("network", { scope: "provider", retryAfter: 100 }), fail(failure("rate_limit")))
  expect(CombinedCooldown.cooling(short, "acme", "glm", NOW)).toMatchObject({ kind: "rate_limit", until: NOW + MINUTE })
})

test("a success ends the cooldowns of the member and its provider, and resets their growth", () => {
  const twice = fail(failure("rate_limit"), fail(failure("rate_limit")))
  const both = fail(failure("network", { scope: "provider" }), twice)
  const state = CombinedCooldown.succeed(both, "acme", "glm", NOW + 1)
  expect(length(state)).toBe(0)
  expect(length(fail(failure("rate_limit"), state))).toBe(length(fail(failure("rate_limit"))))
})

test("a success of one member does not affect the cooldowns of others", () => {
  const state = CombinedCooldown.succeed(fail(failure("rate_limit")), "acme", "kimi", NOW + 1)
  expect(length(state)).toBe(MINUTE)
})

test("a success of a request that started before the failure does not end it", () => {
  const state = CombinedCooldown.succeed(fail(failure("rate_limit")), "acme", "glm", NOW - 1)
  expect(length(state)).toBe(MINUTE)
})

test("an earlier state is never changed", () => {
  const before = fail(failure("rate_limit"))
  fail(failure("rate_limit"), before)
  CombinedCooldown.succeed(before, "acme", "glm", NOW + 1)
  expect(length(before)).toBe(MINUTE)
})

test("the user's limits apply to times from the provider too", () => {
  const bounds = { min: 2000, max: 5000 }
  const until = (retryAfter?: number) =>
    CombinedCooldown.fail(new Map(), "acme", "glm", failure("rate_limit", { retryAfter }), NOW, { bounds }).get(
      "acme/glm",
    )?.until
  expect(until(10)).toBe(NOW + 2000)
  expect(until(3000)).toBe(NOW + 3000)
  expect(until()).toBe(NOW + 5000)
})

test("what was written can be read", () => {
  const state = fail(failure("auth", { scope: "provider" }), fail(failure("rate_limit")))
  expect(CombinedCooldown.read(parsed(CombinedCooldown.format(state)))).toEqual(state)
})

for (const [what, text] of [
  ["nothing", ""],
  ["half a file", CombinedCooldown.format(fail(failure("auth"))).slice(0, 60)],
  ["something else", "[1, 2]"],
  ["another version", '{"version":99,"members":{"acme/glm":{}}}'],
  ["a list for the members", '{"version":1,"members":[{}]}'],
] as const) {
  test(`${what} is not a state`, () => {
    expect(CombinedCooldown.read(parsed(text)).size).toBe(0)
  })
}

test("valid records of a damaged state are kept", () => {
  const good = { since: NOW, until: NOW + 1000, kind: "auth", message: "revoked", failures: 1 }
  const members = {
    "acme/glm": good,
    "acme/no-kind": { ...good, kind: "flu" },
    "acme/text": { ...good, until: "tomorrow" },
    "acme/none": null,
    nowhere: good,
  }
  const state = CombinedCooldown.read(parsed(JSON.stringify({ version: 1, members })))
  expect([...state.keys()]).toEqual(["acme/glm"])
})

test("no file can disable a member for more than a day", () => {
  const item = { since: NOW, until: NOW + 400 * DAY, kind: "auth", message: "revoked", failures: 1 }
  const state = CombinedCooldown.read(parsed(JSON.stringify({ version: 1, members: { "acme/glm": item } })))
  expect(length(state)).toBe(DAY)
})

const nobody = () => undefined

test("a clock that was set back ends what was written before", () => {
  const state = fail(failure("quota"))
  expect(CombinedCooldown.current(state, NOW - 10 * DAY, nobody).size).toBe(0)
  expect(CombinedCooldown.current(state, NOW, nobody).size).toBe(1)
})

test("consecutive failures are forgotten a day after the cooldown", () => {
  const state = fail(failure("rate_limit"))
  expect(CombinedCooldown.current(state, NOW + MINUTE + DAY, nobody).size).toBe(1)
  expect(CombinedCooldown.current(state, NOW + MINUTE + DAY + 1, nobody).size).toBe(0)
})

test("new credentials end a cooldown for quota or credentials, and no other", () => {
  const left = (kind: CombinedFailure.Kind, credentials: string | undefined) =>
    CombinedCooldown.current(
      CombinedCooldown.fail(new Map(), "acme", "glm", failure(kind), NOW, { credentials: "old" }),
      NOW,
      () => credentials,
    ).size
  expect([left("quota", "new"), left("auth", "new"), left("rate_limit", "new")]).toEqual([0, 0, 1])
  expect([left("quota", "old"), left("auth", "old")]).toEqual([1, 1])
  // Of a provider that this process has not loaded, nobody knows.
  expect(left("auth", undefined)).toBe(1)
})

test("quota depends on the account, refusals on the login", () => {
  const asked: string[] = []
  for (const kind of ["quota", "auth"] as const)
    CombinedCooldown.current(
      CombinedCooldown.fail(new Map(), "acme", "glm", failure(kind), NOW, { credentials: "old" }),
      NOW,
      (providerID, of) => void asked.push(`${providerID} ${of}`),
    )
  expect(asked).toEqual(["acme quota", "acme auth"])
})

test("the later one of two records of a member counts, on either side", () => {
  const early = fail(failure("rate_limit"))
  const late = fail(failure("overload"), new Map(), NOW + 5)
  for (const merged of [CombinedCooldown.merge(early, late), CombinedCooldown.merge(late, early)])
    expect(merged.get("acme/glm")?.kind).toBe("overload")
  const well = CombinedCooldown.succeed(early, "acme", "glm", NOW)
  for (const merged of [CombinedCooldown.merge(early, well), CombinedCooldown.merge(well, early)])
    expect(length(merged)).toBe(0)
})

test("a member is unproven from the end of its cooldown until it has answered", () => {
  const state = fail(failure("rate_limit"))
  const unproven = (item: CombinedCooldown.State, now: number) => CombinedCooldown.unproven(item, "acme", "glm", now)
  expect(unproven(state, NOW + MINUTE - 1)).toEqual([])
  expect(unproven(state, NOW + MINUTE)).toEqual(["acme/glm"])
  expect(unproven(CombinedCooldown.succeed(state, "acme", "glm", NOW + MINUTE), NOW + MINUTE)).toEqual([])
})

test("a plan that is used up for days is left alone for days, and looked at once a day where it may end early", () => {
  const week = failure("quota", { scope: "provider", retryAfter: 7 * DAY })
  expect(length(fail(week))).toBe(7 * DAY)
  expect(length(fail({ ...week, retryAfter: 35 * DAY }))).toBe(35 * DAY)
  expect(length(fail({ ...week, retryAfter: 90 * DAY }))).toBe(DAY)
  expect(length(fail({ ...week, early: true }))).toBe(DAY)
  const short = CombinedCooldown.fail(new Map(), "acme", "glm", week, NOW, { bounds: { min: 0, max: MINUTE } })
  expect(length(short)).toBe(MINUTE)
  const read = CombinedCooldown.read(parsed(CombinedCooldown.format(fail(week))))
  expect(length(read)).toBe(7 * DAY)
})

test("a first failure for quota is tried again sooner than one that repeats", () => {
  const once = fail(failure("quota"))
  const twice = fail(failure("quota"), once, NOW + 30 * MINUTE)
  expect(length(once)).toBe(30 * MINUTE)
  expect(length(twice, NOW + 30 * MINUTE)).toBe(60 * MINUTE)
})
