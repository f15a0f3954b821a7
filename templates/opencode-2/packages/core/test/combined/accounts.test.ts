import "./own-state"
import { expect, test } from "bun:test"
import { CombinedRunnerAccounts } from "../../src/combined/runner/accounts"
import { ModelV2 } from "../../src/model"
import type { ModelsDev } from "../../src/models-dev"
import { ProviderV2 } from "../../src/provider"

const providerID = ProviderV2.ID.make("openai")

const known: readonly ModelsDev.Snapshot[] = [
  {
    info: { ...ProviderV2.Info.empty(providerID), name: "OpenAI" },
    models: [ModelV2.Info.empty(providerID, ModelV2.ID.make("gpt-5"))],
    environment: ["OPENAI_API_KEY"],
  },
]

test("an account has the models of its provider, an id and a key of its own", () => {
  const found = CombinedRunnerAccounts.added(known, { combined: { accounts: { "openai-work": "openai" } } })
  expect(found.map(({ info, environment }) => [info.id as string, info.name, ...environment])).toEqual([
    ["openai", "OpenAI", "OPENAI_API_KEY"],
    ["openai-work", "OpenAI (openai-work)", "OPENAI_WORK_API_KEY"],
  ])
  expect(found[1].models.map((model) => `${model.providerID}/${model.id}`)).toEqual(["openai-work/gpt-5"])
  expect(known).toHaveLength(1)
})

test("an account of a provider that nobody knows, or with the id of another one, is left out", () => {
  const accounts = { openai: "openai", other: "elsewhere" }
  expect(CombinedRunnerAccounts.added(known, { combined: { accounts } })).toBe(known)
})
