/** A combined model with two members and without a session, for tests that need neither a server nor a database. */
import { Effect } from "effect"
import { ModelV2 } from "@opencode-ai/core/model"
import { ProviderV2 } from "@opencode-ai/core/provider"
import { CombinedCatalogue } from "@/combined/provider/catalogue"
import type { CombinedSettings } from "@/combined/settings"
import { Provider } from "@/provider/provider"
import { ProviderTest } from "../fake/provider"

const ID = ModelV2.ID.make("glm-4.6")

let count = 0

export function pair(combined: CombinedSettings.Info["combined"] = {}, second: Partial<Provider.Model> = {}) {
  count++
  const ids = { first: `aaa${count}`, second: `bbb${count}` }
  const offer = (providerID: string, more: Partial<Provider.Model> = {}): Provider.Model => ({
    ...ProviderTest.model({ id: ID, providerID: ProviderV2.ID.make(providerID) }),
    name: "GLM 4.6",
    limit: { context: 200_000, output: 32_000 },
    ...more,
  })
  const info = (id: string, model: Provider.Model) =>
    ({
      id,
      name: id,
      source: "config",
      env: [],
      options: { apiKey: "k" },
      models: { [ID]: model },
    }) as unknown as Provider.Info
  const providers = {
    [ids.first]: info(ids.first, offer(ids.first)),
    [ids.second]: info(ids.second, offer(ids.second, second)),
  }
  const base = {
    list: () => Effect.succeed(providers),
    getProvider: (id: string) => Effect.succeed(providers[id]),
    getModel: (id: string) => Effect.succeed(providers[id].models[ID]),
    getSmallModel: (id: string) => Effect.succeed(providers[id].models[ID]),
    defaultModel: () => Effect.succeed({ providerID: ids.first, modelID: ID }),
  } as unknown as Provider.Interface
  const config = { provider_priority: [ids.first, ids.second], combined }
  const dependencies = {
    config: { get: () => Effect.succeed(config) },
    modelsDev: { get: () => Effect.succeed({}) },
    notFound: Provider.ModelNotFoundError,
  } as unknown as Parameters<typeof CombinedCatalogue.wrap>[1]
  const service = CombinedCatalogue.wrap(base, dependencies)
  const asked = Effect.map(service.list(), (all) => ({
    providerID: ProviderV2.ID.make("combined"),
    modelID: ModelV2.ID.make(Object.keys(all[ProviderV2.ID.make("combined")].models)[0]),
  }))
  const model = Effect.flatMap(asked, (name) => service.getModel(name.providerID, name.modelID))
  return { ids, service, asked, model }
}
