/**
 * The mark on a concrete model that says it was chosen for a combined one, and how to go on when its provider fails.
 *
 * It is a symbol property: it survives a spread, and neither JSON nor a schema sees it.
 */
import type { Provider } from "@/provider/provider"
import type { ModelMessage } from "ai"
import type { Effect } from "effect"
import type { Failure } from "./failure"
import type { Cooldown } from "./health"

export const PROVIDER_ID = "combined"

export type Next =
  | { readonly type: "serve"; readonly model: Provider.Model }
  | { readonly type: "wait"; readonly providerID: string; readonly cooldown: Cooldown }

export type Origin = {
  /** The id behind `combined/`. */
  readonly id: string
  /** Records the failure of this member and tells who is next. */
  readonly fail: (failure: Failure) => Effect.Effect<Next>
  readonly succeed: Effect.Effect<void>
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
    const plain: ModelMessage = { ...message, providerOptions: undefined }
    if (plain.role !== "assistant" || typeof plain.content === "string") return [plain]
    const content = plain.content
      .filter((part) => part.type !== "reasoning")
      .map((part) => ({ ...part, providerOptions: undefined }))
    return content.length ? [{ ...plain, content }] : []
  })
}

export * as CombinedOrigin from "./origin"
