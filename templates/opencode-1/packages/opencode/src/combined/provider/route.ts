/**
 * The mark on a concrete model that says it was chosen for a combined one, and what to do when its provider fails.
 *
 * It is a symbol property: it survives a spread, and JSON and schemas do not see it.
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
      /** It can take the request. */
      readonly fits: boolean
      readonly spared?: CombinedRank.Spared<CombinedMember.Member>
    }
  | (Extract<CombinedRank.Choice<CombinedMember.Member>, { type: "wait" }> & {
      /** The one to wait for. */
      readonly model: Provider.Model | undefined
      readonly fits: boolean
    })

/** What one request requires of the members; the condition applies to their models. */
export type Wish = Omit<CombinedRank.Wish, "fits"> & {
  readonly fits?: (model: Provider.Model) => boolean
  /** What the user wants in the session. */
  readonly steer?: Steer
}

/** The data of the request for which the member was chosen. */
export type State = {
  attempt: Attempt | undefined
  /** The attempt is discarded: its message is removed after upstream has cleaned up. */
  retracted: boolean
  /** The start of the cooldown that was known when this member was chosen. */
  known: number | undefined
  /** Whether a cooldown that becomes known later still prevents the request. */
  heeds: boolean
  /** What is held of a budget for the request. */
  hold: Hold | undefined
  /** The history could not be carried over: the request is sent without thinking. */
  unthinking: boolean
}

export type Route = {
  /** The id behind `combined/`. */
  readonly id: string
  readonly member: CombinedMember.Member
  readonly state: State
  /** What the request for which this one was chosen requires of the members. */
  readonly wish?: Wish
  /** The member that was left for this one, where that is news for the user. */
  readonly spared?: CombinedRank.Spared<CombinedMember.Member>
  /** The members that cool, for the first answer of a session: it starts without them. */
  readonly opening?: readonly { readonly member: CombinedMember.Name; readonly cooldown: Cooldown }[]
  /** What the user wants in the session whose title it makes. */
  readonly steer?: Steer
  /** The run of the session's loop for which it was chosen. */
  readonly run?: CombinedRun.Run
  /** The parts of the history that this member has refused: it is asked without them. */
  readonly forgone: ReadonlySet<Forgone>
  /** What its requests cost, and what the user's rules say about that. */
  readonly terms: Terms
  /** A plan of the chain that is used up, and why. */
  readonly usedUp: Effect.Effect<{ readonly providerID: string; readonly message: string } | undefined>
  /** Starts a cooldown of this member. */
  readonly fail: (failure: Failure) => Effect.Effect<void>
  /** Starts a cooldown of another member of the same model. */
  readonly blame: (member: CombinedMember.Name, failure: Failure) => Effect.Effect<void>
  /** Which member is next, now. */
  readonly next: (wish?: Wish) => Effect.Effect<Next>
  readonly succeed: Effect.Effect<void>
  /** Remembers what an answer of this member says about its plan. */
  readonly see: (windows: readonly Window[]) => void
  /** Whether the user, who wants this in the session, wants this member asked. */
  readonly permits: (steer: Steer) => Effect.Effect<boolean>
  /** The members that the user does not want asked, and why. */
  readonly ruledOut: (
    steer: Steer,
  ) => Effect.Effect<readonly { readonly member: CombinedMember.Name; readonly reason: CombinedSteer.Reason }[]>
  /** The members that would be asked before this one if they could answer now, and what prevents that. */
  readonly leftOut: (
    steer: Steer,
  ) => Effect.Effect<readonly { readonly member: CombinedMember.Name; readonly cooldown: Cooldown }[]>
  /** A provider's name, for people. */
  readonly nameOf: (providerID: string) => string
  /** Whether another member than this one could answer now. */
  readonly others: (wish?: Wish) => Effect.Effect<boolean>
  /** The cooldown that holds this member back now, or another one. */
  readonly cooling: Effect.Effect<Cooldown | undefined>
  /** The same right now, with the settings and credentials from when the member was chosen. */
  readonly held: () => Cooldown | undefined
  readonly coolingOf: (member: CombinedMember.Name) => Effect.Effect<Cooldown | undefined>
  /** Whether this member failed the last time it was asked. */
  readonly unproven: Effect.Effect<boolean>
  /** Keeps other requests from this member while this one tests whether it has recovered; false: another one does. */
  readonly claim: Effect.Effect<boolean>
  readonly release: Effect.Effect<void>
  readonly settings: CombinedSettings.Failover & Pick<CombinedDecide.Settings, "onRefusal">
  /** The first member's model, if this member is a different one. */
  readonly instead?: string
  /** How long the member's provider may be silent before upstream ends the request. */
  readonly timeouts: CombinedTimeouts.Timeouts
  /** The member's own variants. The model has them under every name that may be requested. */
  readonly variants?: Provider.Model["variants"]
}

const key = Symbol.for("opencode.combined.route")

const chain = Symbol.for("opencode.combined.chain")

/** Gives the model with what is asked after it, for the first of these agents that has a chain of its own. */
type Chained = (agents: readonly string[]) => Effect.Effect<Provider.Model>

type Marked = Provider.Model & { [key]?: Route; [chain]?: Chained }

/** A model after which something else may be asked. What that is depends on the agent, and is only known later. */
export function chainable(model: Provider.Model, chained: Chained): Provider.Model {
  return Object.assign({ ...model }, { [chain]: chained })
}

/** The model with what is asked after it; the same if there is nothing. */
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

/** The model for a session in which the user wants this. */
export function steered(model: Provider.Model, steer: Steer): Provider.Model {
  const route = of(model)
  return route ? mark(model, { ...route, steer }) : model
}

/** Whether two members are the same model. */
export function isSameModel(one: Provider.Model, other: Provider.Model) {
  const [first, second] = [of(one), of(other)]
  return first === undefined || second === undefined || CombinedMember.isSameModel(first.member, second.member)
}

/** The error if nobody can answer. */
export function exhausted({ id, terms }: Route, answer: Answer, out?: Parameters<typeof CombinedNotice.exhausted>[2]) {
  return CombinedNotice.exhausted(id, answer.failures, out ?? [], [...terms.bars, ...answer.bars])
}

/** Another member that could be asked. */
export type Candidate = CombinedMember.Name & { readonly model: Provider.Model }

/** Which member is next, in the form that decides what to do. */
export function candidate(next: Next | undefined): CombinedDecide.Next<Candidate> {
  if (!next?.model) return { type: "none" }
  const member = { providerID: next.model.providerID, modelID: next.model.id, model: next.model }
  if (next.type === "serve") return { type: "serve", member, fits: next.fits }
  return { type: "wait", member, until: next.out[0].cooldown.until, fits: next.fits }
}

/**
 * Messages that any provider accepts: without reasoning and provider metadata, which belong to the one that made them.
 * For requests that are not rebuilt from the stored history.
 */
export function portable(messages: readonly ModelMessage[]): ModelMessage[] {
  return messages.flatMap((message): ModelMessage[] => {
    if (typeof message.content === "string") return [{ ...message, providerOptions: undefined }]
    const content = message.content
      .filter((part) => part.type !== "reasoning")
      .map((part) => ({ ...part, providerOptions: undefined }))
    // The union type of messages does not tell that filtered content still belongs to the same role.
    return content.length ? [{ ...message, content, providerOptions: undefined } as ModelMessage] : []
  })
}

export * as CombinedRoute from "./route"
