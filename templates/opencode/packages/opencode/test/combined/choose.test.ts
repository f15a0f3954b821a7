import { expect, test } from "bun:test"
import { CombinedChoose } from "@/combined/choose"
import { CombinedHealth } from "@/combined/health"

const NOW = 1_000_000
const members = ["a", "b", "c"].map((providerID) => ({ providerID, modelID: "glm" }))

const cooling = (times: Record<string, number>) =>
  Object.entries(times).reduce<CombinedHealth.State>(
    (state, [providerID, retryAfter]) =>
      CombinedHealth.fail(
        state,
        providerID,
        "glm",
        { kind: "rate_limit", scope: "model", message: `${providerID} is out`, retryAfter },
        NOW,
      ),
    new Map(),
  )

const choose = (times: Record<string, number>, now = NOW) => CombinedChoose.choose(members, cooling(times), now)

test("the first in the group's order serves", () => {
  expect(choose({})).toEqual({ type: "serve", member: members[0] })
})

test("the first that is not cooling serves", () => {
  expect(choose({ a: 1000 })).toEqual({ type: "serve", member: members[1] })
  expect(choose({ a: 1000, b: 10 })).toEqual({ type: "serve", member: members[2] })
})

test("the preferred one serves again when its cooldown is over", () => {
  expect(choose({ a: 1000, b: 5000 }, NOW + 1000)).toEqual({ type: "serve", member: members[0] })
})

test("when all are cooling, all are told, the one that is first to return in front", () => {
  expect(choose({ a: 3000, b: 1000, c: 2000 })).toMatchObject({
    type: "wait",
    out: [
      { member: members[1], cooldown: { until: NOW + 1000, message: "b is out" } },
      { member: members[2], cooldown: { until: NOW + 2000, message: "c is out" } },
      { member: members[0], cooldown: { until: NOW + 3000, message: "a is out" } },
    ],
  })
})

test("of two that return at once the one that stands first is waited for", () => {
  expect(choose({ a: 9000, b: 1000, c: 1000 })).toMatchObject({
    type: "wait",
    out: [{ member: members[1] }, { member: members[2] }, { member: members[0] }],
  })
})

test("members of one provider are told apart", () => {
  const pair = [
    { providerID: "a", modelID: "glm" },
    { providerID: "a", modelID: "glm-free" },
  ]
  expect(CombinedChoose.choose(pair, cooling({ a: 1000 }), NOW)).toEqual({ type: "serve", member: pair[1] })
})
