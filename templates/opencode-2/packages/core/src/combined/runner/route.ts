/** How a model was chosen for a combined model, and what is known for its request. */
import type { Effect } from "effect"
import type { SessionMessage } from "../../session/message"
import type { SessionRunnerModel } from "../../session/runner/model"
import type { Snapshot } from "../../snapshot"
import type { CombinedRun } from "../choice/run"
import type { Steer } from "../choice/steer"
import type { CombinedConsent } from "../host/consent"
import type { CombinedPool } from "../host/pool"
import type { CombinedSettings } from "../settings"
import type { CombinedDecide } from "../turn/decide"
import type { CombinedRunnerListing } from "./listing"
import type { CombinedRunnerWarm } from "./warm"

export { Current, mark, of } from "./mark"

/** A run of a session's loop, with what only OpenCode 2 needs. */
export type Run = CombinedRun.Run & {
  /** How many tokens the conversation has, as far as known. */
  used?: number
  /** What discarded attempts have cost, in dollars. The message that replaces them is charged with it. */
  owed?: number
  /** The files before the step, and whether the step starts again before anything can have changed them. */
  before?: { readonly files: Snapshot.ID | undefined; again: boolean }
  /** The whole answers of the session, as far as known. */
  answers?: CombinedRunnerWarm.Answers
  /** The message of a step that was waiting when the process ended: the step starts again under this message. */
  message?: SessionMessage.ID
}

export type Member = CombinedRunnerListing.Member

export type Route = {
  /** The part of the model's id after `combined/`. */
  readonly id: string
  readonly session: string
  readonly member: Member
  readonly members: readonly Member[]
  readonly pool: CombinedPool.Pool
  readonly settings: CombinedPool.Pool["settings"] & Pick<CombinedDecide.Settings, "onRefusal">
  readonly run: Run
  /** The name of a provider to show. */
  readonly nameOf: (providerID: string) => string
  /** What requests may cost. */
  readonly money: CombinedSettings.Money
  /** What the user wants in the session, as stored right now. */
  readonly wishes: Effect.Effect<Steer>
  /** The session that the user opened; this one may be a subagent's. */
  readonly root: Effect.Effect<string>
  /** Asks the user in that session whether the member may bill a request. */
  readonly put: (session: string) => Effect.Effect<CombinedConsent.Answer>
  /** The variant that the user asked for, and the member's own variant for it. */
  readonly variant: { readonly asked: string | undefined; readonly own: string | undefined }
  /** The model of the member to ask next. */
  readonly resolve: (run: Run) => Effect.Effect<SessionRunnerModel.Resolved, SessionRunnerModel.Error>
  /** What answered a request outside of a step, if it is not the member that was chosen first. */
  readonly state: { served?: SessionRunnerModel.Resolved }
}

export * as CombinedRunnerRoute from "./route"
