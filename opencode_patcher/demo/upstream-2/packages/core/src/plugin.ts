/** Fills the catalogue: with the models that the build has put into the program, and with those of the user's. */
export * as PluginSupervisor from "./plugin"

import { Context, Effect, Layer } from "effect"
import { Catalog } from "./catalog"
import { Config } from "./config"
import { makeLocationNode } from "./effect/app-node"
import { Integration } from "./integration"
import { ModelV2 } from "./model"
import { ModelsDev } from "./models-dev"
import { ModelsDevPlugin } from "./plugin/models-dev"
import { ProviderV2 } from "./provider"

export interface Interface {
  /** Waits until the catalogue is filled. */
  readonly flush: Effect.Effect<void>
}

export class Service extends Context.Service<Service, Interface>()("@small/PluginSupervisor") {}

/** What the configuration says of a provider. */
function configured(draft: Catalog.Draft, id: ProviderV2.ID, said: Config.Provider) {
  const found = Catalog.record(draft, id)
  const { provider } = found
  found.provider = {
    ...provider,
    name: said.name ?? provider.name,
    package: said.package ?? provider.package,
    settings: ProviderV2.mergeOverlay(provider.settings, said.settings),
  }
  for (const [name, model] of Object.entries(said.models ?? {})) {
    const before = found.models.get(name) ?? ModelV2.Info.empty(id, name)
    found.models.set(name, {
      ...before,
      name: model.name ?? before.name,
      limit: model.limit ?? before.limit,
      cost: model.cost ? ModelV2.priced(model.cost) : before.cost,
      settings: ProviderV2.mergeOverlay(before.settings, model.settings),
    })
  }
}

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const catalog = yield* Catalog.Service
    yield* ModelsDevPlugin.effect(catalog)
    const entries = yield* (yield* Config.Service).entries()
    yield* catalog.transform((draft) => {
      for (const entry of entries)
        if (entry.type === "document")
          for (const [id, said] of Object.entries(entry.info.providers ?? {})) configured(draft, id, said)
      const model = Config.latest(entries, "model")
      if (model !== undefined) draft.model = ModelV2.parse(model)
    })
    return Service.of({ flush: Effect.void })
  }),
)

export const node = makeLocationNode({
  service: Service,
  layer,
  deps: [Catalog.node, Config.node, Integration.node, ModelsDev.node],
})
