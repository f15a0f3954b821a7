/** Upstream's models and providers in OpenCode 1. */
export { ModelV2 } from "../../../model"
export { ProviderV2 } from "../../../provider"
