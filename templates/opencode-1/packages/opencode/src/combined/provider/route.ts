/**
 * The mark on a concrete model that says it was chosen for a combined one, and how to go on when its provider fails.
 *
 * It is a symbol property: it survives a spread, and neither JSON nor a schema sees it.
 */
import type { Provider } from "@/provider/provider"
import type { ModelMessage } from "ai"
import type { Effect } from "effect"
import type { CombinedRank } from "../choice/rank"
import type { Failure } from "../failure/classify"
import type { Cooldown } from "../health/cooldown"
import type { CombinedSettings } from "../settings"
import type { CombinedMember } from "../member"

export const PROVIDER_ID = "combined"

export type Next =
  | { readonly type: "serve"; readonly model: Provider.Model }
  | (Extract<CombinedRank.Choice<CombinedMember.Member>, { type: "wait" }> & {
      /** The one to wait for. */
      readonly model: Provider.Model | undefined
    })

/** What one request makes of the members; the condition is put to their models. */
export type Wish = Omit<CombinedRank.Wish, "fits"> & { readonly fits?: (model: Provider.Model) => boolean }

export type Origin = {
  /** The id behind `combined/`. */
  readonly id: string
  /** What the request makes of the members for which this one was chosen. */
  readonly wish?: Wish
  /** Records the failure of this member and tells who is next. */
  readonly fail: (failure: Failure, wish?: Wish) => Effect.Effect<Next>
  /** Tells who is next, now. */
  readonly next: (wish?: Wish) => Effect.Effect<Next>
  readonly succeed: Effect.Effect<void>
  /** The first that is not cooling and satisfies the condition, of the members in the order in which they are asked. */
  readonly find: (condition: (model: Provider.Model) => boolean) => Effect.Effect<Provider.Model | undefined>
  /** Whether another member than this one could answer now. */
  readonly others: (wish?: Wish) => Effect.Effect<boolean>
  /** The cooldown that holds this member back now. */
  readonly cooling: Effect.Effect<Cooldown | undefined>
  /** Whether this member failed the last time it was asked. */
  readonly unproven: Effect.Effect<boolean>
  /** Keeps other requests from this member while this one finds out whether it is well again; false: another does. */
  readonly claim: Effect.Effect<boolean>
  readonly release: Effect.Effect<void>
  readonly settings: CombinedSettings.Failover
  /** The member's own variants. The model has them under every name that may be asked for. */
  readonly variants?: Provider.Model["variants"]
}

const key = Symbol.for("opencode.combined.origin")

export function mark(model: Provider.Model, origin: Origin): Provider.Model {
  return Object.assign({ ...model }, { [key]: origin })
}

export function of(model: Provider.Model): Origin | undefined {
  return (model as Provider.Model & { [key]?: Origin })[key]
}

/**
 * Messages that any provider accepts: without reasoning and provider metadata, which belong to the one that made them.
 * For requests that are not built from the stored history again.
 */
export function portable(messages: readonly ModelMessage[]): ModelMessage[] {
  return messages.flatMap((message): ModelMessage[] => {
    if (typeof message.content === "string") return [{ ...message, providerOptions: undefined }]
    const content = message.content
      .filter((part) => part.type !== "reasoning")
      .map((part) => ({ ...part, providerOptions: undefined }))
    // The union of messages does not say that a filtered content is still the content of the same role.
    return content.length ? [{ ...message, content, providerOptions: undefined } as ModelMessage] : []
  })
}

export * as CombinedRoute from "./route"
