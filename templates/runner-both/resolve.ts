/** Finds the member to ask, and its model. */
import { Effect } from "effect"
import type { SessionSchema } from "../../session/schema"
import { CombinedAnswer } from "../choice/answer"
import { CombinedVariant } from "../choice/variant"
import { CombinedFailure } from "../failure/classify"
import type { CombinedPool } from "../host/pool"
import { CombinedDecide } from "../turn/decide"
import { CombinedRunnerListing } from "./listing"
import { CombinedRunnerMembers } from "./members"
import type { CombinedRunnerRoute } from "./route"
import { ModelV2, ProviderV2 } from "./upstream/models"

type Session = SessionSchema.Info

type Search<A, E, R> = {
  readonly found: CombinedRunnerListing.Found
  readonly run: CombinedRunnerRoute.Run
  readonly pool: CombinedPool.Pool
  readonly session: Session
  /** The variant that the user asked for. */
  readonly wanted: string | undefined
  /** Upstream's own `resolve`. */
  readonly one: (session: Session) => Effect.Effect<A, E, R>
}

export type Chosen<A> = {
  readonly resolved: A
  readonly member: CombinedRunnerListing.Member
  /** The variant to ask for, and the member's own variant for it. */
  readonly variant: { readonly asked: string | undefined; readonly own: string | undefined }
}

/** The member to ask. A member that cannot be resolved, such as one whose login cannot be renewed, is skipped. */
export const resolve = <A, E, R>(search: Search<A, E, R>): Effect.Effect<Chosen<A>, E, R> =>
  Effect.gen(function* () {
    const { found, run, pool, session, wanted, one } = search
    while (true) {
      // If the user allows no member, take any: `begin` then ends with the right error before the request.
      const allowed = pool.among(found.id, found.members, run.steer)
      const members = allowed.length ? allowed : found.members
      const member = pool.first(members, CombinedRunnerMembers.wish(run, found.members))
      const asked = member.how?.variant ?? wanted
      const own = CombinedVariant.map(asked ?? "default", CombinedRunnerListing.variants(member.model))
      const variant = asked === undefined || asked === "default" ? asked : own
      const model = {
        providerID: ProviderV2.ID.make(member.providerID),
        id: ModelV2.ID.make(member.modelID),
        ...(variant !== undefined && { variant: ModelV2.VariantID.make(variant) }),
      }
      const resolved = yield* one({ ...session, model }).pipe(
        Effect.provideService(CombinedRunnerListing.Resolving, member),
        Effect.result,
      )
      if (resolved._tag === "Success") return { resolved: resolved.success, member, variant: { asked, own } }
      const failure = CombinedFailure.fault(resolved.failure)
      run.answer = CombinedAnswer.leave(run.answer, member, { message: failure.message })
      if (!members.some(CombinedDecide.wish(run.answer, "step").open)) return yield* Effect.fail(resolved.failure)
    }
  })

export * as CombinedRunnerResolve from "./resolve"
