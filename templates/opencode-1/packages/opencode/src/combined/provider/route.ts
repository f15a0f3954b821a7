/**
 * The mark on a concrete model that says it was chosen for a combined one, and how to go on when its provider fails.
 *
 * It is a symbol property: it survives a spread, and neither JSON nor a schema sees it.
 */
import type { Provider } from "@/provider/provider"
import type { ModelMessage } from "ai"
import type { Effect } from "effect"
import type { CombinedRank } from "../choice/rank"
import type { CombinedRun } from "../choice/run"
import type { Failure, Forgone } from "../failure/classify"
import type { Cooldown } from "../health/cooldown"
import type { CombinedSettings } from "../settings"
import type { CombinedDecide } from "../turn/decide"
import type { CombinedMember } from "../member"
import type { Attempt } from "../request/attempt"

export const PROVIDER_ID = "combined"

export type Next =
  | {
      readonly type: "serve"
      readonly model: Provider.Model
      /** It can take the request. */
      readonly fits: boolean
    }
  | (Extract<CombinedRank.Choice<CombinedMember.Member>, { type: "wait" }> & {
      /** The one to wait for. */
      readonly model: Provider.Model | undefined
      readonly fits: boolean
    })

/** What one request makes of the members; the condition is put to their models. */
export type Wish = Omit<CombinedRank.Wish, "fits"> & { readonly fits?: (model: Provider.Model) => boolean }

/** What belongs to the one request for which the member was chosen. */
export type State = {
  attempt: Attempt | undefined
  /** The attempt is taken back: its message goes once upstream has cleaned up. */
  retracted: boolean
  /** The history could not be carried over: the request goes without thinking. */
  unthinking: boolean
}

export type Route = {
  /** The id behind `combined/`. */
  readonly id: string
  readonly member: CombinedMember.Member
  readonly state: State
  /** What the request makes of the members for which this one was chosen. */
  readonly wish?: Wish
  /** The run of the session's loop for which it was chosen. */
  readonly run?: CombinedRun.Run
  /** What this member has refused of the history: it is asked without. */
  readonly forgone: ReadonlySet<Forgone>
  /** Begins a cooldown of this member. */
  readonly fail: (failure: Failure) => Effect.Effect<void>
  /** Begins a cooldown of another member of the same model. */
  readonly blame: (member: CombinedMember.Name, failure: Failure) => Effect.Effect<void>
  /** Tells who is next, now. */
  readonly next: (wish?: Wish) => Effect.Effect<Next>
  readonly succeed: Effect.Effect<void>
  /** Whether another member than this one could answer now. */
  readonly others: (wish?: Wish) => Effect.Effect<boolean>
  /** The cooldown that holds this member back now, or another one. */
  readonly cooling: Effect.Effect<Cooldown | undefined>
  readonly coolingOf: (member: CombinedMember.Name) => Effect.Effect<Cooldown | undefined>
  /** Whether this member failed the last time it was asked. */
  readonly unproven: Effect.Effect<boolean>
  /** Keeps other requests from this member while this one finds out whether it is well again; false: another does. */
  readonly claim: Effect.Effect<boolean>
  readonly release: Effect.Effect<void>
  readonly settings: CombinedSettings.Failover
  /** The member's own variants. The model has them under every name that may be asked for. */
  readonly variants?: Provider.Model["variants"]
}

const key = Symbol.for("opencode.combined.route")

export function mark(model: Provider.Model, route: Route): Provider.Model {
  return Object.assign({ ...model }, { [key]: route })
}

export function of(model: Provider.Model): Route | undefined {
  return (model as Provider.Model & { [key]?: Route })[key]
}

/** Another member that could be asked. */
export type Candidate = CombinedMember.Name & { readonly model: Provider.Model }

/** Who is next, in the terms in which it is decided what follows. */
export function candidate(next: Next | undefined): CombinedDecide.Next<Candidate> {
  if (!next?.model) return { type: "none" }
  const member = { providerID: next.model.providerID, modelID: next.model.id, model: next.model }
  if (next.type === "serve") return { type: "serve", member, fits: next.fits }
  return { type: "wait", member, until: next.out[0].cooldown.until, fits: next.fits }
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
