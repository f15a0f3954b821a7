import { expect, test } from "bun:test"
import { CombinedMistakes } from "@/combined/mistakes"
import { CombinedSettings } from "@/combined/settings"

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
  expect(CombinedMistakes.contradictions({ combined: { cooldown: { min: 2000, max: 1000 } } })).toEqual([
    {
      path: ["combined", "cooldown", "min"],
      value: 2000,
      text: "combined.cooldown: min (2000) is more than max (1000).",
    },
  ])
  expect(CombinedMistakes.contradictions({ combined: { cooldown: { min: 1, max: 1 } } })).toEqual([])
  expect(CombinedMistakes.contradictions({ combined: { cooldown: { min: 1 } } })).toEqual([])
})

test("what is asked after an agent's model is checked here, since OpenCode takes anything", () => {
  const agents = (fallback: unknown) =>
    CombinedMistakes.fallbacks({ agent: { build: { fallback } } }).map((item) => item.text)
  const nothing = "so nothing is asked after this agent's model."
  expect(agents(42)).toEqual([`agent.build.fallback must be a text or a list or an object, ${nothing}`])
  expect(agents(["a/b", { modle: "a/c" }])).toEqual([`agent.build.fallback.1 has no model, ${nothing}`])
  expect(agents({ models: ["a/b"], on_refusal: "next" })).toEqual([
    `agent.build.fallback.on_refusal must be one of stop, next_model, ${nothing}`,
  ])
  expect(agents({ models: ["a/b"], on_refuzal: "stop" })).toEqual([
    "agent.build.fallback.on_refuzal is not a setting, so it does nothing. Did you mean agent.build.fallback.on_refusal?",
  ])
  expect(agents([{ model: "a/b", when: ["quota"], options: { top_p: 1 } }])).toEqual([])
  expect(agents("a/b")).toEqual([])
  expect(CombinedMistakes.fallbacks({ agent: { build: 7 } })).toEqual([])
})

test("a fallback of the wrong form is left out", () => {
  const fallback = [{ modle: "a/c" }]
  expect(CombinedSettings.read({ agent: { build: { fallback } } }).fallbacks).toEqual({})
})

test("an unknown key in a chain is a mistake too", () => {
  expect(CombinedMistakes.unknown({ combined: { groups: { x: [{ model: "a/b", wen: ["quota"] }] } } })).toEqual([
    "combined.groups.x.0.wen is not a setting, so it does nothing. Did you mean combined.groups.x.0.when?",
  ])
})

test("a time that was meant in seconds says so", () => {
  const found = (combined: object) => CombinedMistakes.contradictions({ combined }).map((item) => item.text)
  expect(found({ stickiness: 300 })).toEqual([
    "combined.stickiness: 300 is in milliseconds. If you mean 300 seconds, write 300000.",
  ])
  expect(found({ cooldown: { max: 60 } })).toEqual([
    "combined.cooldown.max: 60 is in milliseconds. If you mean 60 seconds, write 60000.",
  ])
  expect(found({ stickiness: 0, cooldown: { max: 1 } })).toEqual([])
})

test("a percentage and a row that cannot be meant", () => {
  const combined = { windows: { providers: { groq: 101 } }, failures: [{ class: "quota" as const }] }
  expect(CombinedMistakes.contradictions({ combined }).map((item) => item.text)).toEqual([
    "combined.windows.providers.groq: 101 percent of a window are never used.",
    "combined.failures.0: It names no status, code or words, so it would decide every failure.",
  ])
})

test("a provider's name that is close to one of yours is named", () => {
  const combined = {
    last_resort: ["antropic", "elsewhere", "open*", "a/b"],
    windows: { providers: { "Open-AI": 90, opnai: 90 } },
    accounts: { work: "opena" },
  }
  const found = CombinedMistakes.misspelt({ combined }, ["anthropic", "openai"])
  expect(found.map((item) => item.text)).toEqual([
    "combined.last_resort: no provider antropic. Did you mean anthropic?",
    "combined.windows.providers.opnai: no provider opnai. Did you mean openai?",
    "combined.accounts.work: no provider opena. Did you mean openai?",
  ])
})

test("a cap that is never reached is a contradiction, and so is one for nothing", () => {
  const said = (combined: Parameters<typeof CombinedMistakes.budgets>[0]["combined"]) =>
    CombinedMistakes.budgets({ combined }).map((one) => one.text)
  expect(said({ budget: { session: 5, day: 2, providers: { acme: 3, other: 1 } } })).toEqual([
    "combined.budget: session (5) is more than day (2), so it is never reached.",
    "combined.budget: providers.acme (3) is more than day (2), so it is never reached.",
  ])
  expect(said({ budget: { session: 2, day: 2 } })).toEqual([])
  expect(said({ metered: "never", budget: { day: 2 } })).toEqual([
    'combined.budget: with combined.metered "never" there is nothing to spend.',
  ])
})

test("a provider that is misspelt where its price is named is found", () => {
  const combined = {
    price_class: { antropic: "plan", "openruter/x": "free", "*": "free" },
    budget: { providers: { Open_Router: 1, opnrouter: 2, gone: 1 } },
  } as const
  expect(CombinedMistakes.prices({ combined }, ["anthropic", "openrouter"])).toEqual([
    {
      path: ["combined", "price_class", "antropic"],
      value: "plan",
      text: "combined.price_class: antropic is not a provider. Did you mean anthropic?",
    },
    {
      path: ["combined", "price_class", "openruter/x"],
      value: "free",
      text: "combined.price_class: openruter is not a provider. Did you mean openrouter?",
    },
    {
      path: ["combined", "budget", "providers", "opnrouter"],
      value: 2,
      text: "combined.budget.providers: opnrouter is not a provider. Did you mean openrouter?",
    },
  ])
})

test("what a sentence is about is found by the key that it begins with", () => {
  const config = { provider_priority: ["a"], combined: { groups: { "x.y": ["a/b"] } } }
  const about = (text: string) => CombinedMistakes.named(config, text).path
  expect(about("provider_priority: no provider a.")).toEqual(["provider_priority"])
  expect(about("combined.groups.x.y: no model a/b.")).toEqual(["combined", "groups", "x.y"])
  const agents = { agent: { "my.own": { fallback: ["a/b"] } } }
  const found = CombinedMistakes.named(agents, "agent.my.own.fallback: no model a/b.")
  expect(found).toMatchObject({ path: ["agent", "my.own", "fallback"], value: ["a/b"] })
})
