/** Upstream's catalogue of models, up to v2.0.0. */
import { Effect } from "effect"
import type { Catalog as Upstream } from "../../../catalog"
import type { Config } from "../../../config"

export { EventV2 } from "../../../event"
export { CombinedEvent } from "@opencode-ai/schema/combined-event"
export { TuiEvent } from "@opencode-ai/schema/tui-event"

export type Catalog = Upstream.Interface

type Replaced = {
  readonly provider: Pick<Catalog["provider"], "get" | "available">
  readonly model: Pick<Catalog["model"], "get" | "available">
}

/** The catalogue's own functions, and a way to replace them. */
export const open = (catalog: Catalog, _config: Config.Interface) =>
  Effect.succeed({
    provider: { ...catalog.provider },
    model: { ...catalog.model },
    replace: ({ provider, model }: Replaced) => {
      Object.assign(catalog.provider, provider)
      Object.assign(catalog.model, model)
    },
  })

/** The model of a session that has not chosen one. */
export const defaultOf = (catalog: Catalog) => catalog.model.default()
