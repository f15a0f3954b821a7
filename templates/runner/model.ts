/** Resolves a combined model to that of the member to ask now. Upstream does so for each request. */
import type { Model } from "@opencode-ai/llm"
import { Effect } from "effect"
import type { Catalog } from "../../catalog"
import { Config } from "../../config"
import { ModelV2 } from "../../model"
import { ProviderV2 } from "../../provider"
import type { SessionSchema } from "../../session/schema"
import { CombinedRun } from "../choice/run"
import { CombinedVariant } from "../choice/variant"
import { CombinedFailure } from "../failure/classify"
import { CombinedPool } from "../host/pool"
import { CombinedMember } from "../member"
import { CombinedSettings } from "../settings"
import { CombinedDecide } from "../turn/decide"
import { CombinedAnswer } from "../choice/answer"
import { CombinedRunnerCatalogue } from "./catalogue"
import { CombinedRunnerRoute } from "./route"
import { CombinedRunnerSettings } from "./settings"

type Session = SessionSchema.Info

/** Replaces `Effect.fn`. */
export const fn = Effect.fnUntraced(function* (catalog: Catalog.Interface) {
  const config = yield* Config.Service
  return <Eff extends Effect.Effect<unknown, unknown, unknown>>(
    body: (session: Session) => Generator<Eff, Model, never>,
  ) => {
    const one = Effect.fn("SessionRunnerModel.resolve")(body)

    return Effect.fn("CombinedRunnerModel.resolve")(function* (session: Session) {
      const asked = session.model
      if (asked?.providerID !== CombinedRunnerCatalogue.ID) return yield* one(session)
      const found = yield* CombinedRunnerCatalogue.find(catalog, asked.id).pipe(
        Effect.provideService(Config.Service, config),
      )
      if (!found?.members.length) return yield* one(session)
      const run = (yield* CombinedRunnerRoute.Current) ?? CombinedRun.make()
      const pool = CombinedPool.look({
        settings: CombinedSettings.failover(yield* CombinedRunnerSettings.read(config)),
        // The new runner stores logins separately: what the first API knows about them counts.
        credentials: () => undefined,
      })
      while (true) {
        const member = choose(pool, found.members, run)
        const effort = member.how?.variant ?? asked.variant
        const own = CombinedVariant.map(effort ?? "default", CombinedRunnerCatalogue.variants(member.model))
        const variant = effort === undefined || effort === "default" ? effort : own
        const model = {
          providerID: ProviderV2.ID.make(member.providerID),
          id: ModelV2.ID.make(member.modelID),
          ...(variant !== undefined && { variant: ModelV2.VariantID.make(variant) }),
        }
        const resolved = yield* one({ ...session, model }).pipe(Effect.result)
        if (resolved._tag === "Success") {
          const route = { id: found.id, session: session.id, member, members: found.members, pool, run }
          return CombinedRunnerRoute.mark(resolved.success, route)
        }
        // Such as a login that cannot be renewed: a failure of the member before any request.
        const failure = CombinedFailure.fault(resolved.failure)
        run.answer = CombinedAnswer.leave(run.answer, member, { message: failure.message })
        if (!found.members.some(CombinedDecide.wish(run.answer, "step").open))
          return yield* Effect.fail(resolved.failure)
      }
    })
  }
})

/** The member to ask; if none may be asked, the first: the error is then decided before its request. */
function choose(
  pool: CombinedPool.Pool,
  members: readonly CombinedRunnerRoute.Member[],
  run: CombinedRun.Run,
): CombinedRunnerRoute.Member {
  const choice = pool.choose(members, wish(run, members))
  if (choice.type === "serve") return choice.member
  return choice.out[0]?.member ?? members[0]
}

/** What the step requires of the members. */
export function wish(run: CombinedRun.Run, members: readonly CombinedRunnerRoute.Member[], answer = run.answer) {
  const holds = (member: CombinedMember.Member) => {
    const found = members.find((item) => CombinedMember.same(item, member))
    return found === undefined || CombinedRun.mayHold(run, member, room(found))
  }
  return { ...CombinedDecide.wish(answer, "step"), fits: holds }
}

/** How many tokens a conversation may have; unlimited if unknown. */
export function room({ model }: CombinedRunnerRoute.Member) {
  return model.limit.input ?? (model.limit.context || Infinity)
}

export * as CombinedRunnerModel from "./model"
