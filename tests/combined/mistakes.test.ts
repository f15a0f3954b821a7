import { expect, test } from "bun:test"
import { CombinedMistakes } from "@/combined/mistakes"

test("a key that is not a setting is named with the nearest one", () => {
  expect(CombinedMistakes.unknown({ combined: { stratgy: 1, cooldown: { most: 1 }, groups: { any: [] } } })).toEqual([
    "combined.stratgy is not a setting, so it does nothing. Did you mean combined.strategy?",
    "combined.cooldown.most is not a setting, so it does nothing.",
  ])
  expect(CombinedMistakes.unknown({ combined: { failures: [{ clas: "quota" }] } })).toEqual([
    "combined.failures.0.clas is not a setting, so it does nothing. Did you mean combined.failures.0.class?",
  ])
})

test("at the top, only a misspelling of ours is a mistake", () => {
  expect(CombinedMistakes.unknown({ provider_priorty: [], command: {}, provider: {}, model: "a/b" })).toEqual([
    "provider_priorty is not a setting, so it does nothing. Did you mean provider_priority?",
  ])
})

test("a cooldown that ends before it begins is a contradiction", () => {
  expect(CombinedMistakes.contradictions({ combined: { cooldown: { min: 2, max: 1 } } })).toEqual([
    { path: ["combined", "cooldown", "min"], value: 2, text: "combined.cooldown: min (2) is more than max (1)." },
  ])
  expect(CombinedMistakes.contradictions({ combined: { cooldown: { min: 1, max: 1 } } })).toEqual([])
  expect(CombinedMistakes.contradictions({ combined: { cooldown: { min: 1 } } })).toEqual([])
})

test("what a sentence is about is found by the key that it begins with", () => {
  const config = { provider_priority: ["a"], combined: { groups: { "x.y": ["a/b"] } } }
  const about = (text: string) => CombinedMistakes.named(config, text).path
  expect(about("provider_priority: no provider a.")).toEqual(["provider_priority"])
  expect(about("combined.groups.x.y: no model a/b.")).toEqual(["combined", "groups"])
})
