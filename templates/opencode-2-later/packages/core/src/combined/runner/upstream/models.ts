/** Upstream's models and providers, as they are since v2.0.1. */
import type { Model } from "../../../model.js"
import { Provider } from "../../../provider.js"

export { Model as ModelV2 } from "../../../model.js"
export { Provider as ProviderV2 } from "../../../provider.js"

/** Where upstream's own packages for the protocols of providers are, which take the place of the AI SDK's. */
const OWN = "@opencode/ai/providers/"

/** The AI SDK's package whose protocol a model speaks. */
export function npmOf(model: Model.Info) {
  const name = Provider.packageName(model.package) ?? ""
  if (!name.startsWith(OWN)) return name
  const [family = "", form] = name.slice(OWN.length).split("/")
  if (family === "amazon-bedrock") return "@ai-sdk/amazon-bedrock"
  if (family === "openrouter") return "@openrouter/ai-sdk-provider"
  if (family === "google-vertex" && form === "messages") return "@ai-sdk/google-vertex/anthropic"
  if (form === "messages" || family === "anthropic-compatible") return "@ai-sdk/anthropic"
  if (form === "mistral") return "@ai-sdk/mistral"
  if (family.startsWith("openai-compatible")) return "@ai-sdk/openai-compatible"
  return form === "responses" && family !== "azure" ? "@ai-sdk/openai" : `@ai-sdk/${family}`
}
