/**
 * Upstream's own limits on a provider's silence. For a member of a combined model, they only apply if the user has set
 * them.
 *
 * Instead, `first_token_timeout` and `stall_timeout` decide about a silent member. They take into account whether
 * another member could answer, and never cut off the last one. Upstream's defaults cut off in any case: after 10 or 300
 * s without OpenAI's headers, and from v1.18.27 on after 300 s without any provider's headers or between any two
 * chunks.
 */
import type { Provider } from "@/provider/provider"
import { CombinedRoute } from "./route"

/** The longest possible timer, 24 days. It is a number because not every release accepts `false` for both. */
export const NEVER = 2 ** 31 - 1

/** A provider's options in opencode.json. Upstream has already checked their types. */
type Own = { readonly headerTimeout?: unknown; readonly chunkTimeout?: unknown } | undefined

export type Timeouts = { readonly headerTimeout: unknown; readonly chunkTimeout: unknown }

export function own(options: Own): Timeouts {
  return { headerTimeout: options?.headerTimeout ?? NEVER, chunkTimeout: options?.chunkTimeout ?? NEVER }
}

/** Overrides for the options of the model's provider. A model that was chosen directly keeps upstream's limits. */
export function timeouts(model: Provider.Model): Partial<Timeouts> {
  return CombinedRoute.of(model)?.timeouts ?? {}
}

/**
 * The key under which upstream caches the client of a model. A member's client differs from that of the plain model.
 */
export function clientKey(model: Provider.Model) {
  const name = `${model.providerID}/${model.id}`
  return CombinedRoute.of(model) ? `${CombinedRoute.PROVIDER_ID}/${name}` : name
}

export * as CombinedTimeouts from "./timeouts"
