/** How a model was chosen for a combined one, and what is known for its request. */
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

/** A run of a session's loop, and what is only known here. */
export type Run = CombinedRun.Run & {
  /** How many tokens the conversation has, as far as it is known. */
  used?: number
  /** What discarded attempts have cost, in dollars: it is in the message that replaces them. */
  owed?: number
  /** The state of the files before the step, and whether the step starts again before anything can have changed them. */
  before?: { readonly files: Snapshot.ID | undefined; again: boolean }
  /** The whole answers of the session, as far as they are known. */
  answers?: CombinedRunnerWarm.Answers
  /** The message of a step that was waiting when the process ended: it starts again under that. */
  message?: SessionMessage.ID
}

export type Member = CombinedRunnerListing.Member

export type Route = {
  /** The id behind `combined/`. */
  readonly id: string
  readonly session: string
  readonly member: Member
  readonly members: readonly Member[]
  readonly pool: CombinedPool.Pool
  readonly settings: CombinedPool.Pool["settings"] & Pick<CombinedDecide.Settings, "onRefusal">
  readonly run: Run
  /** A provider's name for people. */
  readonly nameOf: (providerID: string) => string
  /** What requests may cost. */
  readonly money: CombinedSettings.Money
  /** What the user wants in the session, as it is stored now. */
  readonly wishes: Effect.Effect<Steer>
  /** The session that the user opened, of which this one may be a subagent's. */
  readonly root: Effect.Effect<string>
  /** Asks the user in that session whether the member may bill a request. */
  readonly put: (session: string) => Effect.Effect<CombinedConsent.Answer>
  /** The variant that the user asked for, and the member's own for it. */
  readonly variant: { readonly asked: string | undefined; readonly own: string | undefined }
  /** The model of the member to ask next. */
  readonly resolve: (run: Run) => Effect.Effect<SessionRunnerModel.Resolved, SessionRunnerModel.Error>
  /** What served a request outside of a step, where it is not the one that was chosen first. */
  readonly state: { served?: SessionRunnerModel.Resolved }
}

export * as CombinedRunnerRoute from "./route"
