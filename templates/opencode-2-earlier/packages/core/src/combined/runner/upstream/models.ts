/** Upstream's models and providers, up to v2.0.0. */
import type { ModelV2 } from "../../../model"
import { ProviderV2 } from "../../../provider"

export { ModelV2 } from "../../../model"
export { ProviderV2 } from "../../../provider"

/** The AI SDK's package whose protocol a model speaks. */
export const npmOf = (model: ModelV2.Info) => ProviderV2.packageName(model.package) ?? ""
