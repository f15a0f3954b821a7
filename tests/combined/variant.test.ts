import { expect, test } from "bun:test"
import { CombinedVariant } from "@/combined/choice/variant"

const variants = (...names: string[]) => Object.fromEntries(names.map((name) => [name, {}]))

for (const [asked, has, own] of [
  ["high", ["low", "high"], "high"],
  ["max", ["low", "medium", "high"], "high"],
  ["minimal", ["low", "high"], "low"],
  // Of two that are equally near the one that costs less.
  ["medium", ["high", "low"], "low"],
  ["xhigh", ["max", "high"], "high"],
  // A variant of the user's own has no like, and neither has an effort among those.
  ["fast", ["low", "high"], undefined],
  ["high", ["fast"], undefined],
  ["high", [], undefined],
  ["fast", ["fast"], "fast"],
] as const) {
  test(`${asked} of ${has.join(", ") || "none"} is ${own}`, () => {
    expect(CombinedVariant.map(asked, variants(...has))).toBe(own)
  })
}

test("a member without variants has none", () => {
  expect(CombinedVariant.map("high", undefined)).toBeUndefined()
})

test("a variant is lost if nothing compares, and nothing is lost if none was requested", () => {
  expect(CombinedVariant.lost("high", variants("fast"))).toBe("high")
  expect(CombinedVariant.lost("high", variants("low"))).toBeUndefined()
  expect(CombinedVariant.lost(undefined, variants())).toBeUndefined()
})

test("all variants of all members are offered, efforts from least to most, with the options of the first that has them", () => {
  const found = CombinedVariant.union<object>([
    { high: { budget: 1 }, fast: { tier: 1 } },
    undefined,
    { max: {}, low: {}, high: {} },
  ])
  expect(Object.entries(found)).toEqual([
    ["low", {}],
    ["high", { budget: 1 }],
    ["max", {}],
    ["fast", { tier: 1 }],
  ])
})

test("a member has its own options under every name that may be asked for", () => {
  const own = { low: { effort: 1 }, high: { effort: 3 }, fast: { speed: 2 } }
  const found = CombinedVariant.named<object>(own, ["low", "fast", "turbo"])
  expect(found).toMatchObject({ low: own.low, medium: own.low, high: own.high, max: own.high, fast: own.fast })
  // A name of another member's is known here too, or OpenCode would drop it from the user's message.
  expect(found.turbo).toEqual({})
  expect(CombinedVariant.named(undefined, ["high"]).high).toEqual({})
})
