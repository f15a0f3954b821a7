/** Upstream's catalogue of models, since v2.0.1: providers and models are two services. */
import { Effect } from "effect"
import { Config } from "../../../config.js"
import type { Model } from "../../../model.js"
import { Provider } from "../../../provider.js"

export { Bus as EventV2 } from "../../../bus.js"
export { CombinedEvent } from "@opencode/schema/combined-event"
export { TuiEvent } from "@opencode/schema/tui-event"

export type Catalog = Model.Interface

type Replaced = {
  readonly provider: Pick<Provider.Interface, "get" | "available">
  readonly model: Pick<Catalog, "get" | "available">
}

/** The services' own functions, and a way to replace them. */
export const open = (catalog: Catalog, config: Config.Interface) =>
  Effect.map(Provider.Service, (providers) => ({
    provider: { ...providers },
    model: { ...catalog },
    replace: ({ provider, model }: Replaced) => {
      const { default: byItself } = catalog
      Object.assign(providers, provider)
      Object.assign(catalog, {
        ...model,
        // Upstream looks for the default model only among its own models.
        default: Effect.fnUntraced(function* () {
          const wanted = Config.latest(yield* config.entries(), "model")
          const own = wanted?.providerID === "combined" ? yield* model.get(wanted.providerID, wanted.model) : undefined
          return own ?? (yield* byItself())
        }),
      } satisfies Partial<Catalog>)
    },
  }))

/** The model of a session that has not chosen one. */
export const defaultOf = (catalog: Catalog) => catalog.default()
