import { expect, test } from "bun:test"
import { CombinedNotice } from "@/combined/turn/notice"
import { CombinedFailure } from "@/combined/failure/classify"
import { CombinedSettings } from "@/combined/settings"

test("providers of the priority list come first, in its order", () => {
  expect(CombinedSettings.order(["d", "c", "b", "a"], ["c", "a"])).toEqual(["c", "a", "b", "d"])
})

test("a missing provider in the list changes nothing", () => {
  expect(CombinedSettings.order(["b", "a"], ["gone", "b"])).toEqual(["b", "a"])
})

test("the order is the same in every locale", () => {
  expect(CombinedSettings.order(["a", "B", "é", "Z"], [])).toEqual(["B", "Z", "a", "é"])
})

test("without a priority none is preferred", () => {
  expect(CombinedSettings.read({}).priority).toEqual([])
})

test("a priority is a list, or a string with commas", () => {
  expect(CombinedSettings.read({ provider_priority: ["b", "a"] }).priority).toEqual(["b", "a"])
  expect(CombinedSettings.read({ provider_priority: "b, a,," }).priority).toEqual(["b", "a"])
})

const MINUTE = 60_000

test("without any settings every failure switches, and models that think for minutes are not cut off", () => {
  const settings = CombinedSettings.failover({})
  expect(settings.kinds).toBeUndefined()
  expect(settings.maxAttempts).toBe(2)
  expect(Math.min(settings.firstToken.alive, settings.stall.alive)).toBeGreaterThan(10 * MINUTE)
  expect(Math.min(settings.firstToken.lost, settings.stall.lost)).toBe(5 * MINUTE)
  expect(settings.cooldown).toEqual({ min: 0, max: 35 * 24 * 60 * MINUTE })
  expect(settings.lastResort({ providerID: "acme", modelID: "glm" })).toBe(false)
})

test("the user's settings are used", () => {
  const settings = CombinedSettings.failover({
    combined: {
      strategy: "on_rate_limit",
      max_attempts: 5,
      first_token_timeout: 1000,
      stall_timeout: 2000,
      cooldown: { max: 3000 },
      stickiness: 0,
    },
  })
  expect(settings).toMatchObject({
    kinds: ["rate_limit", "quota"],
    maxAttempts: 5,
    firstToken: { lost: 1000, alive: 1000 },
    stall: { lost: 2000, alive: 2000 },
    cooldown: { min: 0, max: 3000 },
    stickiness: 0,
  })
})

for (const [pattern, hits, misses] of [
  ["acme", ["acme/glm", "acme/z-ai/glm"], ["acme-two/glm", "other/acme"]],
  ["acme*", ["acme/glm", "acme-two/glm"], ["other/acme"]],
  ["acme/*", ["acme/glm", "acme/z-ai/glm"], ["acme-two/glm"]],
  ["*/glm-4.6", ["acme/glm-4.6"], ["acme/glm-4x6", "acme/glm-4.6:free"]],
  ["ACME/GLM", ["acme/glm", "Acme/Glm"], []],
] as const) {
  test(`${pattern} as a last resort`, () => {
    const { lastResort } = CombinedSettings.failover({ combined: { last_resort: [pattern] } })
    const member = (text: string) => {
      const at = text.indexOf("/")
      return { providerID: text.slice(0, at), modelID: text.slice(at + 1) }
    }
    expect(hits.filter((text) => !lastResort(member(text)))).toEqual([])
    expect(misses.filter((text) => lastResort(member(text)))).toEqual([])
  })
}

test("the serving provider is announced at the start and at each change", () => {
  const printed = new Map([["start", true]])
  const said = ["a", "a", "b", "b", "a"].map((providerID) =>
    CombinedNotice.changed(printed, { providerID, modelID: "glm" }),
  )
  expect(said).toEqual([true, false, true, false, true])
  expect(printed.get("start")).toBe(true)
})

test("rows of one's own decide first, and one that would decide everything is left out", () => {
  const { own } = CombinedSettings.failover({
    combined: {
      failures: [
        { class: "quota" },
        { words: ["e"], class: "quota" },
        { words: ["out of tea"] },
        { status: [418], words: ["OUT of tea (.*)+$"], class: "quota", scope: "plan" },
      ],
    },
  })
  expect(own.map((row) => row.id)).toEqual(["own-4"])
  const error = (message: string) => ({ statusCode: 418, responseBody: JSON.stringify({ error: { message } }) })
  const read = (message: string) => CombinedFailure.explain(error(message), 0, { own })
  expect(read("We are out of tea (.*)+$ today")).toMatchObject({
    row: "own-4",
    fault: { kind: "quota", scope: "provider", about: "plan" },
  })
  expect(read("We are out of tea").row).toBeUndefined()
})

test("waiting is off, or has a maximum and perhaps quiet hours", () => {
  expect(CombinedSettings.wait(undefined)).toBeUndefined()
  expect(CombinedSettings.wait(false)).toBeUndefined()
  expect(CombinedSettings.wait(true)).toEqual({ max: 6 * 60 * MINUTE })
  expect(CombinedSettings.wait(90_000)).toEqual({ max: 90_000 })
  expect(CombinedSettings.wait({ max: 90_000, quiet: "23:00-7:30" })).toEqual({
    max: 90_000,
    quiet: { from: 23 * 60, to: 7 * 60 + 30 },
  })
  for (const text of ["", "23-7", "24:00-07:00", "07:00-07:00", "x"])
    expect(CombinedSettings.hours(text)).toBeUndefined()
})
