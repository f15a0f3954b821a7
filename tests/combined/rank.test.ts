import { expect, test } from "bun:test"
import { CombinedRank } from "@/combined/choice/rank"
import { CombinedCooldown } from "@/combined/health/cooldown"
import type { CombinedMember } from "@/combined/member"

const NOW = 1_000_000
const members = ["a", "b", "c"].map((providerID) => ({ providerID, modelID: "glm" }))

const cooling = (times: Record<string, number>) =>
  Object.entries(times).reduce<CombinedCooldown.State>(
    (state, [providerID, retryAfter]) =>
      CombinedCooldown.fail(
        state,
        providerID,
        "glm",
        { kind: "rate_limit", scope: "model", message: `${providerID} is out`, retryAfter },
        NOW,
      ),
    new Map(),
  )

const choose = (times: Record<string, number>, now = NOW) =>
  CombinedRank.choose(members, { state: cooling(times), now })

test("the first in the group's order serves", () => {
  expect(choose({})).toEqual({ type: "serve", member: members[0], fits: true })
})

test("the first that is not cooling down serves", () => {
  expect(choose({ a: 1000 })).toEqual({ type: "serve", member: members[1], fits: true })
  expect(choose({ a: 1000, b: 10 })).toEqual({ type: "serve", member: members[2], fits: true })
})

test("the preferred one serves again when its cooldown is over", () => {
  expect(choose({ a: 1000, b: 5000 }, NOW + 1000)).toEqual({ type: "serve", member: members[0], fits: true })
})

test("when all are cooling down, all are listed, the first to return first", () => {
  expect(choose({ a: 3000, b: 1000, c: 2000 })).toMatchObject({
    type: "wait",
    out: [
      { member: members[1], cooldown: { until: NOW + 1000, message: "b is out" } },
      { member: members[2], cooldown: { until: NOW + 2000, message: "c is out" } },
      { member: members[0], cooldown: { until: NOW + 3000, message: "a is out" } },
    ],
  })
})

test("of two that return simultaneously the first one is waited for", () => {
  expect(choose({ a: 9000, b: 1000, c: 1000 })).toMatchObject({
    type: "wait",
    out: [{ member: members[1] }, { member: members[2] }, { member: members[0] }],
  })
})

test("members of one provider are distinguished", () => {
  const pair = [
    { providerID: "a", modelID: "glm" },
    { providerID: "a", modelID: "glm-free" },
  ]
  expect(CombinedRank.choose(pair, { state: cooling({ a: 1000 }), now: NOW })).toEqual({
    type: "serve",
    member: pair[1],
    fits: true,
  })
})

test("a last resort is asked only when all others are unavailable", () => {
  const lastResort = (member: CombinedMember.Member) => member.providerID === "a"
  const rank = (times: Record<string, number>) =>
    CombinedRank.rank(members, { state: cooling(times), now: NOW, lastResort }).map((member) => member.providerID)
  expect(rank({})).toEqual(["b", "c", "a"])
  expect(rank({ b: 1000 })).toEqual(["c", "a"])
  expect(rank({ b: 1000, c: 1000 })).toEqual(["a"])
})

test("a member with a warm cache comes before the preferred one, but a last resort does not", () => {
  const rank = (warm: string, last: string) =>
    CombinedRank.rank(members, {
      state: new Map(),
      now: NOW,
      warm: (member) => member.providerID === warm,
      lastResort: (member) => member.providerID === last,
    }).map((member) => member.providerID)
  expect(rank("b", "")).toEqual(["b", "a", "c"])
  expect(rank("b", "b")).toEqual(["a", "c", "b"])
})

test("a member that another request is probing comes after healthy ones", () => {
  const probed = (member: CombinedMember.Member) => member.providerID === "a"
  const rank = (times: Record<string, number>, last?: string) =>
    CombinedRank.rank(members, {
      state: cooling(times),
      now: NOW,
      probed,
      lastResort: (member) => member.providerID === last,
    }).map((member) => member.providerID)
  expect(rank({})).toEqual(["b", "c", "a"])
  // It may be well, and a last resort costs extra.
  expect(rank({ b: 1000 }, "c")).toEqual(["a", "c"])
})

test("a member that has failed for this answer comes after the others, even if its cooldown is over", () => {
  const rank = (left: Record<string, number>, last?: string) =>
    CombinedRank.rank(members, {
      state: new Map(),
      now: NOW,
      left: (member) => left[member.providerID] ?? 0,
      open: (member) => (left[member.providerID] ?? 0) < 3,
      lastResort: (member) => member.providerID === last,
    }).map((member) => member.providerID)
  expect(rank({ a: 1 })).toEqual(["b", "c", "a"])
  // It may be well again, and a last resort costs extra.
  expect(rank({ a: 1, b: 1 }, "c")).toEqual(["a", "b", "c"])
  // One that is not to be asked any more is left out.
  expect(rank({ a: 3, b: 2 })).toEqual(["c", "b"])
})

test("a member that has failed too often is not waited for either", () => {
  const left = (member: CombinedMember.Member) => (member.providerID === "a" ? 3 : 0)
  const choose = (list: typeof members) =>
    CombinedRank.choose(list, {
      state: cooling({ a: 1000, b: 2000 }),
      now: NOW,
      left,
      open: (member) => left(member) < 3,
    })
  expect(choose(members.slice(0, 2))).toMatchObject({ type: "wait", out: [{ member: members[1] }] })
  expect(choose(members.slice(0, 1))).toEqual({ type: "wait", out: [] })
})

test("one that can take the request is waited for, if that is not for long, before one that cannot is asked", () => {
  const choose = (able: string, times: Record<string, number>, patience: number) =>
    CombinedRank.choose(members, {
      state: cooling(times),
      now: NOW,
      fits: (member) => able.includes(member.providerID),
      patience,
    })
  expect(choose("c", {}, 0)).toEqual({ type: "serve", member: members[2], fits: true })
  expect(choose("a", { a: 5000 }, 60_000)).toMatchObject({ type: "wait", out: [{ member: members[0] }] })
  expect(choose("b", { a: 1000, b: 5000, c: 1000 }, 60_000)).toMatchObject({
    type: "wait",
    out: [{ member: members[1] }, {}, {}],
  })
  expect(choose("a", { a: 5000 }, 1000)).toEqual({ type: "serve", member: members[1], fits: false })
  expect(choose("", { a: 5000 }, 60_000)).toEqual({ type: "serve", member: members[1], fits: false })
})

const chain = [
  { providerID: "a", modelID: "opus", identity: "opus" },
  { providerID: "b", modelID: "gpt", identity: "gpt" },
  { providerID: "c", modelID: "opus", identity: "opus" },
]

test("a warm cache brings a member forward among those of the same model, never before a different one", () => {
  const rank = (...warm: string[]) =>
    CombinedRank.rank(chain, { state: new Map(), now: NOW, warm: (member) => warm.includes(member.providerID) }).map(
      (member) => member.providerID,
    )
  expect(rank()).toEqual(["a", "b", "c"])
  expect(rank("b")).toEqual(["a", "b", "c"])
  expect(rank("c")).toEqual(["c", "a", "b"])
  expect(rank("b", "c")).toEqual(["c", "a", "b"])
})

test("a member with a condition is asked only after such a failure of one before it", () => {
  const when = [...chain.slice(0, 1), { ...chain[1], how: { when: ["quota", "too_long"] } }, chain[2]]
  const rank = (view: Partial<CombinedRank.View>) =>
    CombinedRank.rank(when, { state: new Map(), now: NOW, ...view }).map((member) => member.providerID)
  expect(rank({})).toEqual(["a", "c"])
  const out = (kind: "quota" | "overload") =>
    CombinedCooldown.fail(new Map(), "a", "opus", { kind, scope: "model", message: "" }, NOW)
  expect(rank({ state: out("overload") })).toEqual(["c"])
  expect(rank({ state: out("quota") })).toEqual(["b", "c"])
  expect(rank({ failed: (member) => (member.providerID === "a" ? ["quota"] : []) })).toEqual(["a", "b", "c"])
  expect(rank({ failed: (member) => (member.providerID === "c" ? ["quota"] : []) })).toEqual(["a", "c"])
  expect(rank({ fits: (member) => member.providerID !== "a" })).toEqual(["a", "b", "c"])
})
