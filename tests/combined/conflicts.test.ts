import { expect, test } from "bun:test"
import { CombinedConflicts } from "@/combined/conflicts"
import type { Info } from "@/combined/settings"

const OFFERS = ["acme/glm-5", "acme/gpt-5", "beta/glm-5", "mistral/glm-5"].map((name) => {
  const [providerID, modelID] = name.split("/")
  return { providerID, modelID, name: modelID }
})

const named = (name: string, identity: string) => {
  const [providerID, modelID] = name.split("/")
  return { providerID, modelID, identity }
}

type Config = Parameters<typeof CombinedConflicts.conflicts>[0]

function said(config: Config, { members = {}, never = [] as string[], offers = OFFERS } = {}) {
  const chains: Readonly<Record<string, ReturnType<typeof named>[]>> = members
  return CombinedConflicts.conflicts(config, {
    offers,
    members: (where) => chains[where] ?? [],
    isNever: (member) => never.includes(member.providerID),
  }).map((one) => one.text)
}

test("settings that do not touch each other are not remarked on", () => {
  expect(
    said({
      provider_priority: ["acme", "beta", "elsewhere"],
      combined: {
        exclude: ["acme/gpt-*"],
        last_resort: ["mistral"],
        groups: { one: ["beta/glm-5", "acme/glm-5"] },
        budget: { day: 2, providers: { acme: 1 } },
        wait: true,
        cooldown: { min: 1000 },
      },
    }),
  ).toEqual([])
  expect(said({ combined: { exclude: ["*"] } }, { offers: [] })).toEqual([])
})

test("a provider that is preferred, or a last resort, and left out", () => {
  const why = "combined.exclude leaves it out"
  expect(said({ provider_priority: "Acme,beta", combined: { exclude: ["acme/*"], last_resort: ["ac*"] } })).toEqual([
    `provider_priority: Acme is never asked: ${why}.`,
    `combined.last_resort: ac* is not asked at all: ${why}.`,
  ])
  const promise = "it does not promise what combined.require demands"
  const require = { no_training: true, trust: ["beta"] }
  expect(said({ provider_priority: ["acme", "beta"], combined: { require } })).toEqual([
    `provider_priority: acme is never asked: ${promise}.`,
  ])
  expect(said({ provider_priority: ["acme"], combined: { require, exclude: ["acme/glm-5"] } })).toEqual([
    "provider_priority: acme is never asked: combined.exclude and combined.require leave nothing of it.",
  ])
  expect(said({ provider_priority: ["gone"], disabled_providers: ["gone"] })).toEqual([
    "provider_priority: gone is never asked: disabled_providers names gone.",
  ])
  expect(said({ provider_priority: ["gone"], enabled_providers: ["acme"] })).toEqual([
    "provider_priority: gone is never asked: enabled_providers does not name gone.",
  ])
  expect(said({ provider_priority: ["beta", "BETA"] })).toEqual([
    "provider_priority: BETA is there twice, and only the first place counts.",
  ])
})

test("where nothing is left at all, one sentence says so", () => {
  const priority = ["acme", "beta"]
  expect(said({ provider_priority: priority, combined: { exclude: ["*"] } })).toEqual([
    "combined.exclude: it leaves out all models that you have, so nothing is combined.",
  ])
  expect(said({ provider_priority: priority, combined: { require: { region: "mars" } } })).toEqual([
    "combined.require: none of your providers promises that, so nothing is combined.",
  ])
  expect(said({ combined: { exclude: ["acme/*"], require: { region: "mars" } } })).toEqual([
    "combined.exclude: together with combined.require, it leaves out all models that you have, so nothing is combined.",
  ])
})

test("a last resort that others come after, that is never asked, or that everybody is", () => {
  expect(said({ provider_priority: ["acme", "beta"], combined: { last_resort: ["acme"] } })).toEqual([
    "combined.last_resort: acme is asked last, although provider_priority has it before beta.",
  ])
  expect(said({ provider_priority: ["beta", "acme"], combined: { last_resort: ["acme"] } })).toEqual([])
  expect(said({ combined: { last_resort: ["*"] } })).toEqual([
    "combined.last_resort: it names everybody who may be asked, so nobody is the last.",
  ])
  expect(said({ combined: { last_resort: ["acme"] } }, { never: ["acme"] })).toEqual([
    'combined.last_resort: acme is not asked at all: combined.metered is "never", and every request there is billed.',
  ])
})

test("a chain of which others take members, or all of them", () => {
  const groups = { "x.y": ["acme/gpt-5", "beta/glm-5"] }
  expect(CombinedConflicts.conflicts({ combined: { groups, exclude: ["acme/gpt*"] } }, facts())).toEqual([
    {
      path: ["combined", "groups", "x.y"],
      value: groups["x.y"],
      text: "combined.groups.x.y: acme/gpt-5 is never asked: combined.exclude leaves it out.",
    },
  ])
  expect(said({ combined: { fallback: "gone/x" }, disabled_providers: ["gone"] })).toEqual([
    "combined.fallback: gone/x is never asked: disabled_providers names gone.",
  ])
  expect(said({ agent: { build: { fallback: ["acme/gpt-5"] } }, combined: { exclude: ["acme/gpt*"] } })).toEqual([
    "agent.build.fallback: acme/gpt-5 is never asked: combined.exclude leaves it out.",
  ])
  const members = { "combined.groups.x.y": [named("acme/gpt-5", "gpt"), named("beta/glm-5", "glm")] }
  expect(said({ combined: { groups, metered: "never" } }, { members, never: ["acme", "beta"] })).toEqual([
    'combined.groups.x.y: none of its models may be asked: combined.metered is "never", and every request there is billed.',
  ])
  expect(said({ combined: { groups, metered: "never" } }, { members, never: ["acme"] })).toEqual([])
  expect(said({ combined: { groups, last_resort: ["acme"] } }, { members })).toEqual([
    "combined.groups.x.y: acme/gpt-5 is first, but combined.last_resort says that it is asked last.",
  ])
})

test("what follows a refusal needs a different model, and somebody who asks it", () => {
  const chain = { models: ["acme/glm-5", "beta/glm-5"], on_refusal: "next_model" } as const
  const members = { "combined.groups.x": [named("acme/glm-5", "glm"), named("beta/glm-5", "glm")] }
  expect(said({ combined: { groups: { x: chain } } }, { members })).toEqual([
    "combined.groups.x: on_refusal asks a different model, but all of its members are the same one.",
  ])
  const groups = { x: ["acme/glm-5", { model: "acme/gpt-5", when: ["refusal"] }] }
  expect(said({ combined: { groups } })).toEqual([
    'combined.groups.x: acme/gpt-5 is never asked: it is for refusals only, and on_refusal is not "next_model".',
  ])
})

test("amounts and times that leave nothing to do", () => {
  const alone = (combined: Info["combined"]) => said({ combined })
  expect(alone({ budget: { day: 0, providers: { acme: 0 } } })).toEqual([
    'combined.budget: day is 0, so no request that is billed is sent. "metered": "never" says that as well.',
    'combined.budget: providers.acme is 0, so nothing that acme bills is sent. "metered": "never" says that as well.',
  ])
  expect(alone({ budget: { providers: { acme: 1 } }, price_class: { Acme: "plan", beta: "free" } })).toEqual([
    "combined.budget: providers.acme counts nothing: by combined.price_class, all of it is part of a plan.",
  ])
  expect(alone({ wait: 30_000 })).toEqual([
    "combined.wait: a turn waits 60 seconds in any case, so 30000 milliseconds add nothing.",
  ])
  expect(alone({ wait: { max: 90_000 }, cooldown: { min: 100_000 } })).toEqual([
    "combined.wait: nobody is back within 90000 milliseconds, because combined.cooldown.min is 100000.",
  ])
  expect(alone({ wait: true, cooldown: { max: 50_000 } })).toEqual([
    "combined.wait: combined.cooldown.max is 50000, and a turn waits that long in any case, so it adds nothing.",
  ])
  expect(alone({ cooldown: { min: 4_000_000_000 } })).toEqual([
    "combined.cooldown: min (4000000000) is more than any cooldown may last (3024000000).",
  ])
  expect(alone({ min_providers: 4 })).toEqual([
    "combined.min_providers: 4 is more than the 3 that you have, so no model is combined by itself.",
  ])
})

test("regions that cannot be chosen, and trust that is for nothing", () => {
  const require = { region: "eu", trust: ["acme", "beta"] }
  expect(said({ combined: { regions: ["us", "eu"], require } })).toEqual([
    "combined.regions: us cannot come first: combined.require only lets eu through.",
  ])
  expect(said({ combined: { regions: ["eu"], variants: ["free"], require: { trust: ["acme"] } } })).toEqual([
    'combined.regions: without "region" in combined.variants, regions are never combined, so they have no order.',
    "combined.require: trust alone demands nothing; it needs no_training or region.",
  ])
})

test("an unknown provider that is switched off is not called unknown as well", () => {
  expect(CombinedConflicts.explains({ disabled_providers: ["gone"] }, "provider_priority: no provider gone.")).toBe(
    true,
  )
  expect(CombinedConflicts.explains({}, "provider_priority: no provider gone.")).toBe(false)
})

const facts = () => ({ offers: OFFERS, members: () => [], isNever: () => false })
