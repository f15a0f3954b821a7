import "./own-state"
import { afterAll, expect, test } from "bun:test"
import { Effect } from "effect"
import { mkdtempSync, rmSync, writeFileSync } from "fs"
import { tmpdir } from "os"
import path from "path"
import { CombinedRunnerMistakes } from "../../src/combined/runner/mistakes"
import { CombinedRunnerSettings } from "../../src/combined/runner/settings"
import type { CombinedSettings } from "../../src/combined/settings"
import type { Config } from "../../src/config"

const root = mkdtempSync(path.join(tmpdir(), "combined-"))
afterAll(() => rmSync(root, { recursive: true, force: true }))

let count = 0

function config(...texts: readonly object[]) {
  const entries = texts.map((text) => {
    const file = path.join(root, `${count++}.json`)
    writeFileSync(file, JSON.stringify(text))
    return { type: "document", path: file, info: {} }
  })
  return { entries: () => Effect.succeed(entries) } as unknown as Config.Interface
}

const known = { groups: new Map(), fallbacks: new Map(), chains: {}, reduced: () => new Map() }

const none = { offers: [], known, own: { offers: [], isNever: () => false } }

test("a later file wins, and an agent's fallback is read under both names", async () => {
  const read = CombinedRunnerSettings.read(
    config(
      {
        provider_priority: "a,b",
        combined: { max_attempts: 3 },
        agent: { build: { fallback: ["x/y"], model: "a/b" } },
      },
      { combined: { max_attempts: 4 }, agents: { plan: { fallback: ["x/z"] } } },
    ),
  )
  expect(await Effect.runPromise(read)).toEqual({
    provider_priority: "a,b",
    combined: { max_attempts: 4, groups: {} },
    agent: { build: { fallback: ["x/y"] }, plan: { fallback: ["x/z"] } },
  })
})

test("a value of the wrong form is named with its file, and nothing of the file counts", async () => {
  const found = config({ combined: { max_attempts: "two", metered: "never" } })
  const sources = await Effect.runPromise(CombinedRunnerSettings.sources(found))
  const [wrong] = CombinedRunnerMistakes.wrong(sources)
  expect(wrong).toEqual({ source: sources[0].file, text: "combined.max_attempts must be a whole number." })
  expect(sources[0].settings).toEqual({})
})

test("a value of the right form is left alone", async () => {
  const combined: CombinedSettings.Info["combined"] = {
    budget: { session: 0.25, day: 2 },
    wait: { max: 1000 },
    windows: { threshold: "off" },
    exclude: [],
  }
  const sources = await Effect.runPromise(
    CombinedRunnerSettings.sources(config({ provider_priority: ["a"], combined })),
  )
  expect(CombinedRunnerMistakes.wrong(sources)).toEqual([])
  expect(sources[0].settings).toEqual({ provider_priority: ["a"], combined })
})

test("a key that is not a setting is named with its file", async () => {
  const found = config({ combined: { max_attemps: 3 } })
  const sources = await Effect.runPromise(CombinedRunnerSettings.sources(found))
  const settings = await Effect.runPromise(CombinedRunnerSettings.read(found))
  expect(CombinedRunnerMistakes.of(sources, settings, none)).toEqual([
    {
      source: sources[0].file,
      text: "combined.max_attemps is not a setting, so it does nothing. Did you mean combined.max_attempts?",
    },
  ])
})

test("a contradiction is named with the file that has it", async () => {
  const found = config({ provider_priority: [] }, { combined: { cooldown: { min: 5000, max: 2000 } } })
  const sources = await Effect.runPromise(CombinedRunnerSettings.sources(found))
  const settings = await Effect.runPromise(CombinedRunnerSettings.read(found))
  expect(CombinedRunnerMistakes.of(sources, settings, none)).toEqual([
    { source: sources[1].file, text: "combined.cooldown: min (5000) is more than max (2000)." },
  ])
})

test("settings that take each other's effect away are named with their file", async () => {
  const offers = ["aaa", "bbb"].map((providerID) => ({ providerID, modelID: "glm-5", name: "glm-5" }))
  const found = config(
    { provider_priority: ["aaa", "gone"], disabled_providers: ["gone"] },
    { combined: { exclude: ["aaa/*"], metered: "never", last_resort: ["bbb"] } },
  )
  const sources = await Effect.runPromise(CombinedRunnerSettings.sources(found))
  const settings = await Effect.runPromise(CombinedRunnerSettings.read(found))
  const own = { offers, isNever: () => true }
  const [first, second] = sources.map(({ file }) => file)
  expect(CombinedRunnerMistakes.of(sources, settings, { offers, known, own })).toEqual([
    { source: first, text: "provider_priority: aaa is never asked: combined.exclude leaves it out." },
    { source: first, text: "provider_priority: gone is never asked: disabled_providers names gone." },
    { source: second, text: "combined.last_resort: it names everybody who may be asked, so nobody is the last." },
  ])
})
