/** Upstream's models and providers, since v2.0.1. */
import type { Model } from "../../../model.js"
import { Provider } from "../../../provider.js"

export { Model as ModelV2 } from "../../../model.js"
export { Provider as ProviderV2 } from "../../../provider.js"

/** The prefix of upstream's own packages for providers' protocols, which replace the AI SDK's. */
const OWN = "@opencode/ai/providers/"

/** The AI SDK's package for the protocol that a model speaks. */
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
