import { expect, test } from "bun:test"
import { CombinedServing } from "@/combined/serving"
import { CombinedSettings } from "@/combined/settings"

test("providers of the priority list come first, in its order", () => {
  expect(CombinedSettings.order(["d", "c", "b", "a"], ["c", "a"])).toEqual(["c", "a", "b", "d"])
})

test("a provider of the list that is not there changes nothing", () => {
  expect(CombinedSettings.order(["b", "a"], ["gone", "b"])).toEqual(["b", "a"])
})

test("the order is the same in every locale", () => {
  expect(CombinedSettings.order(["a", "B", "é", "Z"], [])).toEqual(["B", "Z", "a", "é"])
})

test("without a priority none is preferred", () => {
  expect(CombinedSettings.read({}).priority).toEqual([])
})

test("a priority is a list, or a text with commas", () => {
  expect(CombinedSettings.read({ provider_priority: ["b", "a"] }).priority).toEqual(["b", "a"])
  expect(CombinedSettings.read({ provider_priority: "b, a,," }).priority).toEqual(["b", "a"])
})

test("who serves is said at the start and at each change", () => {
  const printed = new Map([["start", true]])
  const said = ["a", "a", "b", "b", "a"].map((id) => CombinedServing.changed(printed, id))
  expect(said).toEqual([true, false, true, false, true])
  expect(printed.get("start")).toBe(true)
})
