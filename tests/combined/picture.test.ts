import { expect, test } from "bun:test"
import { CombinedCooldown } from "@/combined/health/cooldown"
import { CombinedClock } from "@/combined/view/clock"
import { CombinedPicture } from "@/combined/view/picture"
import { NOTHING_SEEN } from "./nothing-seen"

const NOW = new Date(2026, 5, 1, 14, 0).getTime()
const MINUTE = 60_000
const members = ["a", "b", "c"].map((providerID) => ({ providerID, modelID: "glm" }))
const models = [{ id: "glm-4-6", name: "GLM 4.6", members }]

const failed = (providerID: string, scope: "model" | "provider", at = NOW) =>
  CombinedCooldown.fail(
    new Map(),
    providerID,
    "glm",
    { kind: "quota", scope, message: "no\tcredit\u0007", retryAfter: 12 * MINUTE },
    at,
  )

const seen = (more: Partial<CombinedPicture.Seen> = {}): CombinedPicture.Seen => ({
  ...NOTHING_SEEN,
  now: NOW,
  price: () => "metered",
  providerName: (id) => `The ${id}`,
  modelName: () => "GLM 4.6",
  next: (allowed) => allowed[0],
  ...more,
})

const rows = (more: Partial<CombinedPicture.Seen> = {}) => CombinedPicture.picture(models, seen(more)).models[0].members
const standings = (more: Partial<CombinedPicture.Seen> = {}) => rows(more).map((row) => row.standing)

test("without news everybody is ready, in order, and the first would be asked", () => {
  expect(standings()).toEqual(["ready", "ready", "ready"])
  expect(rows().map((row) => [row.member, row.provider.name, row.next])).toEqual([
    ["a/glm", "The a", true],
    ["b/glm", "The b", false],
    ["c/glm", "The c", false],
  ])
})

test("a member that cools says why, until when, and whether that holds for its whole provider", () => {
  expect(rows({ state: failed("a", "model") })[0]).toMatchObject({
    standing: "cooling",
    cooldown: { kind: "quota", message: "no\tcredit\\x07", since: NOW, until: NOW + 12 * MINUTE, whole: false },
  })
  expect(rows({ state: failed("a", "provider") })[0].cooldown?.whole).toBe(true)
})

test("the last failure stays known after its cooldown, until a success", () => {
  const state = failed("a", "model", NOW - 20 * MINUTE)
  const [row] = rows({ state })
  expect([row.standing, row.lastError?.kind, row.cooldown]).toEqual(["ready", "quota", undefined])
  const well = CombinedCooldown.succeed(state, "a", "glm", NOW)
  expect(rows({ state: well })[0].lastError).toBeUndefined()
})

test("the member of the last answer serves, others may be warm, and each has cost what it answered", () => {
  const answers = [
    { member: "a/glm", cost: 0.25 },
    { member: "c/glm", cost: 1 },
    { member: "b/glm", cost: 0.5 },
    { member: "a/glm", cost: 0.25 },
    { member: "b/glm", cost: 0.5 },
  ]
  const warm = (member: { readonly providerID: string }) => member.providerID !== "c"
  expect(standings({ answers, warm })).toEqual(["warm", "serving", "ready"])
  expect(rows({ answers }).map((row) => row.cost)).toEqual([0.5, 1, 1])
})

test("a member that is asked right now serves, whoever answered last", () => {
  expect(standings({ answers: [{ member: "a/glm", cost: 0 }], asked: ["b/glm"] })).toEqual([
    "ready",
    "serving",
    "ready",
  ])
})

test("the user's wishes show", () => {
  expect(rows({ steer: { skip: ["a"] } }).map((row) => [row.standing, row.next])).toEqual([
    ["skipped", false],
    ["ready", true],
    ["ready", false],
  ])
  expect(rows({ steer: { pin: "b/glm" } }).map((row) => [row.pinned, row.ruledOut])).toEqual([
    [false, "pinned elsewhere"],
    [true, undefined],
    [false, "pinned elsewhere"],
  ])
  const machine = { pins: { "glm-4-6": "c" }, skips: [] }
  expect(rows({ machine }).map((row) => row.pinned)).toEqual([false, false, true])
})

test("used windows and price classes are passed on", () => {
  const window = { name: "5-hour window", usedShare: 0.4, endsAt: NOW + MINUTE, plan: true, ofModel: false }
  const [row] = rows({ windows: () => [window], price: () => "plan" })
  expect([row.windows, row.price]).toEqual([[{ name: "5-hour window", used: 0.4, ends: NOW + MINUTE }], "plan"])
})

test("a member's state in words", () => {
  const words = (more: Partial<CombinedPicture.Seen> = {}, now = NOW) =>
    rows(more).map((row) => CombinedPicture.state(row, now))
  expect(words()).toEqual(["ready, next", "ready", "ready"])
  expect(words({ answers: [{ member: "a/glm", cost: 0 }] })[0]).toBe("serving")
  const state = failed("a", "model")
  expect(words({ state })[0]).toBe("avoided until 14:12 (in 12 min): quota")
  expect(words({ state }, NOW + 12 * MINUTE)[0]).toBe("ready, next")
  expect(words({ steer: { skip: ["a"] } })).toEqual(["skipped", "ready, next", "ready"])
  expect(words({ steer: { pin: "b/glm" }, next: (allowed) => allowed[0] })).toEqual([
    "another is pinned",
    "pinned, next",
    "another is pinned",
  ])
  expect(words({ steer: { off: true } })).toEqual(["ready, next", "failover is off", "failover is off"])
})

test("times are said as people say them", () => {
  expect(CombinedClock.until(NOW + 12 * MINUTE, NOW)).toBe("until 14:12 (in 12 min)")
  expect(CombinedClock.clock(NOW + 24 * 60 * MINUTE, NOW)).toBe("2026-06-02 14:00")
  expect([-5, 0, 400, 59_100, 89_999, 90_000, 5_399_000, 5_400_000, 40 * 3_600_000].map(CombinedClock.span)).toEqual([
    "0 s",
    "0 s",
    "1 s",
    "60 s",
    "90 s",
    "2 min",
    "90 min",
    "2 h",
    "2 days",
  ])
})

test("asking again ends the cooldowns of a member and its provider, or of all, and tells other processes", () => {
  const state = CombinedCooldown.merge(failed("a", "provider"), failed("b", "model"))
  const later = NOW + MINUTE
  const cooling = (held: CombinedCooldown.State, id: string) => CombinedCooldown.cooling(held, id, "glm", later)
  const one = CombinedCooldown.forget(state, [members[0]], later)
  expect([cooling(one, "a"), cooling(one, "b")?.kind]).toEqual([undefined, "quota"])
  // Another process knows the failure only.
  expect(cooling(CombinedCooldown.merge(state, one), "a")).toBeUndefined()
  expect(cooling(CombinedCooldown.forget(state, undefined, later), "b")).toBeUndefined()
  expect(CombinedCooldown.forget(one, [members[0]], later)).toBe(one)
})
