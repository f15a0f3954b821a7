/**
 * Marks a concrete model that was chosen for a combined model, and says what to do when its provider fails.
 *
 * The mark is a symbol property: it survives a spread, and neither JSON nor schemas see it.
 */
import type { Provider } from "@/provider/provider"
import type { ModelMessage } from "ai"
import { Effect } from "effect"
import type { Answer } from "../choice/answer"
import type { CombinedRank } from "../choice/rank"
import type { CombinedRun } from "../choice/run"
import type { CombinedSteer, Steer } from "../choice/steer"
import type { Failure, Forgone } from "../failure/classify"
import type { Cooldown } from "../health/cooldown"
import type { Window } from "../health/window"
import type { CombinedSettings } from "../settings"
import type { CombinedDecide } from "../turn/decide"
import { CombinedNotice } from "../turn/notice"
import { CombinedMember } from "../member"
import type { Terms } from "../money/rules"
import type { Hold } from "../host/holds"
import type { Attempt } from "../request/attempt"
import type { CombinedTimeouts } from "./timeouts"

export const PROVIDER_ID = "combined"

export type Next =
  | {
      readonly type: "serve"
      readonly model: Provider.Model
      /** Whether it can take the request. */
      readonly fits: boolean
      readonly spared?: CombinedRank.Spared<CombinedMember.Member>
    }
  | (Extract<CombinedRank.Choice<CombinedMember.Member>, { type: "wait" }> & {
      /** The model to wait for. */
      readonly model: Provider.Model | undefined
      readonly fits: boolean
    })

/** What one request requires from the members. The condition `fits` applies to their models. */
export type Wish = Omit<CombinedRank.Wish, "fits"> & {
  readonly fits?: (model: Provider.Model) => boolean
  /** What the user wants in the session. */
  readonly steer?: Steer
}

/** The state of the request for which the member was chosen. */
export type State = {
  attempt: Attempt | undefined
  /** The attempt is discarded. Its message is removed after upstream has cleaned up. */
  retracted: boolean
  /** When the cooldown began that was known when this member was chosen. */
  known: number | undefined
  /** Whether a cooldown that becomes known later still prevents the request. */
  heeds: boolean
  /** What is held of a budget for the request. */
  hold: Hold | undefined
  /** The history could not be carried over, so the request is sent without thinking. */
  unthinking: boolean
}

export type Route = {
  /** The part of the combined model's id after `combined/`. */
  readonly id: string
  readonly member: CombinedMember.Member
  readonly state: State
  /** What the request for which this member was chosen requires from the members. */
  readonly wish?: Wish
  /**
   * The member that was passed over for this one because its plan is nearly used up, if the user does not know that
   * yet.
   */
  readonly spared?: CombinedRank.Spared<CombinedMember.Member>
  /** For the first answer of a session: the members that are cooling down, so that the session starts without them. */
  readonly opening?: readonly { readonly member: CombinedMember.Name; readonly cooldown: Cooldown }[]
  /** What the user wants in the session; set if the model is for the session's title. */
  readonly steer?: Steer
  /** The run of the session's loop for which the member was chosen. */
  readonly run?: CombinedRun.Run
  /** The parts of the history that this member has refused. It is asked without them. */
  readonly forgone: ReadonlySet<Forgone>
  /** What the member's requests cost, and what the user's rules say about that. */
  readonly terms: Terms
  /** A plan of the chain that is used up, and why. */
  readonly usedUp: Effect.Effect<{ readonly providerID: string; readonly message: string } | undefined>
  /** Starts a cooldown of this member. */
  readonly fail: (failure: Failure) => Effect.Effect<void>
  /** Starts a cooldown of another member of the same model. */
  readonly blame: (member: CombinedMember.Name, failure: Failure) => Effect.Effect<void>
  /** Which member is next, as of now. */
  readonly next: (wish?: Wish) => Effect.Effect<Next>
  readonly succeed: Effect.Effect<void>
  /** Remembers what an answer of this member says about its plan. */
  readonly see: (windows: readonly Window[]) => void
  /** Whether these wishes for the session allow this member. */
  readonly permits: (steer: Steer) => Effect.Effect<boolean>
  /** The members that the user's wishes rule out, and why. */
  readonly ruledOut: (
    steer: Steer,
  ) => Effect.Effect<readonly { readonly member: CombinedMember.Name; readonly reason: CombinedSteer.Reason }[]>
  /** The members that would be asked before this one if they could answer now, and their cooldowns. */
  readonly leftOut: (
    steer: Steer,
  ) => Effect.Effect<readonly { readonly member: CombinedMember.Name; readonly cooldown: Cooldown }[]>
  /** The name of a provider to show. */
  readonly nameOf: (providerID: string) => string
  /** Whether another member than this one could answer now. */
  readonly others: (wish?: Wish) => Effect.Effect<boolean>
  /** The cooldown that holds this member back now; `coolingOf` has that of another member. */
  readonly cooling: Effect.Effect<Cooldown | undefined>
  /** The same without waiting, with the settings and credentials of the moment when the member was chosen. */
  readonly held: () => Cooldown | undefined
  readonly coolingOf: (member: CombinedMember.Name) => Effect.Effect<Cooldown | undefined>
  /** Whether this member failed the last time that it was asked. */
  readonly unproven: Effect.Effect<boolean>
  /**
   * Keeps other requests away from this member while this one probes whether it has recovered. False if another one
   * does.
   */
  readonly claim: Effect.Effect<boolean>
  readonly release: Effect.Effect<void>
  readonly settings: CombinedSettings.Failover & Pick<CombinedDecide.Settings, "onRefusal">
  /** The first member's model, if this member's is a different one. */
  readonly instead?: string
  /** How long the member's provider may be silent before upstream ends the request. */
  readonly timeouts: CombinedTimeouts.Timeouts
  /** The member's own variants. In the model they are under every name that may be requested. */
  readonly variants?: Provider.Model["variants"]
}

const key = Symbol.for("opencode.combined.route")

const chain = Symbol.for("opencode.combined.chain")

/** Returns the model with its fallback: that of the first of these agents that has one. */
type Chained = (agents: readonly string[]) => Effect.Effect<Provider.Model>

type Marked = Provider.Model & { [key]?: Route; [chain]?: Chained }

/** A model that may have a fallback. Which one depends on the agent, which is only known later. */
export function chainable(model: Provider.Model, chained: Chained): Provider.Model {
  return Object.assign({ ...model }, { [chain]: chained })
}

/** The model with its fallback; unchanged if it has none. */
export function chained(model: Provider.Model, agents: readonly string[]): Effect.Effect<Provider.Model> {
  return (model as Marked)[chain]?.(agents) ?? Effect.succeed(model)
}

export function mark(model: Provider.Model, route: Route): Provider.Model {
  const { [chain]: _, ...plain }: Marked = model
  return Object.assign(plain, { [key]: route })
}

export function of(model: Provider.Model): Route | undefined {
  return (model as Marked)[key]
}

/** The model for a session with these wishes. */
export function steered(model: Provider.Model, steer: Steer): Provider.Model {
  const route = of(model)
  return route ? mark(model, { ...route, steer }) : model
}

/** Whether two members are the same model. */
export function isSameModel(one: Provider.Model, other: Provider.Model) {
  const [first, second] = [of(one), of(other)]
  return first === undefined || second === undefined || CombinedMember.isSameModel(first.member, second.member)
}

/** The error if no member can answer. */
export function exhausted({ id, terms }: Route, answer: Answer, out?: Parameters<typeof CombinedNotice.exhausted>[2]) {
  return CombinedNotice.exhausted(id, answer.failures, out ?? [], [...terms.bars, ...answer.bars])
}

/** Another member that could be asked. */
export type Candidate = CombinedMember.Name & { readonly model: Provider.Model }

/** The member that is next, in the form in which decide.ts takes it. */
export function candidate(next: Next | undefined): CombinedDecide.Next<Candidate> {
  if (!next?.model) return { type: "none" }
  const member = { providerID: next.model.providerID, modelID: next.model.id, model: next.model }
  if (next.type === "serve") return { type: "serve", member, fits: next.fits }
  return { type: "wait", member, until: next.out[0].cooldown.until, fits: next.fits }
}

/**
 * Messages that any provider accepts: without reasoning and provider metadata, which belong to the provider that made
 * them. Used for requests that are not rebuilt from the stored history.
 */
export function portable(messages: readonly ModelMessage[]): ModelMessage[] {
  return messages.flatMap((message): ModelMessage[] => {
    if (typeof message.content === "string") return [{ ...message, providerOptions: undefined }]
    const content = message.content
      .filter((part) => part.type !== "reasoning")
      .map((part) => ({ ...part, providerOptions: undefined }))
    // The type of a message does not show that filtered content still fits the same role.
    return content.length ? [{ ...message, content, providerOptions: undefined } as ModelMessage] : []
  })
}

export * as CombinedRoute from "./route"
