/**
 * Upstream's own limits on a provider's silence, for a member of a combined model: only what the user has set.
 *
 * Whether a silent member is slow or gone is for `first_token_timeout` and `stall_timeout`, which know whether another one
 * could answer; the last one is never cut. Upstream cuts by default: the headers of OpenAI after 10 or 300 s, and from
 * v1.18.27 on those of every provider, and every silence in a stream, after 300 s.
 */
import type { Provider } from "@/provider/provider"
import { CombinedRoute } from "./route"

/** The longest that a timer waits, 24 days. A number, since not every release takes `false` for both. */
export const NEVER = 2 ** 31 - 1

/** What a provider's options in opencode.json say; whether they are of the right type has been checked there. */
type Own = { readonly headerTimeout?: unknown; readonly chunkTimeout?: unknown } | undefined

export type Timeouts = { readonly headerTimeout: unknown; readonly chunkTimeout: unknown }

export function own(options: Own): Timeouts {
  return { headerTimeout: options?.headerTimeout ?? NEVER, chunkTimeout: options?.chunkTimeout ?? NEVER }
}

/** What goes over the options of the model's provider. A model that was chosen by itself keeps upstream's limits. */
export function timeouts(model: Provider.Model): Partial<Timeouts> {
  return CombinedRoute.of(model)?.timeouts ?? {}
}

/** Under which name upstream keeps the client of a model: a member has another one than the same model by itself. */
export function clientKey(model: Provider.Model) {
  const name = `${model.providerID}/${model.id}`
  return CombinedRoute.of(model) ? `${CombinedRoute.PROVIDER_ID}/${name}` : name
}

export * as CombinedTimeouts from "./timeouts"
