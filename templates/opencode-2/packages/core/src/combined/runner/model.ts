/** Resolves a combined model to that of the member to ask now. Upstream does so for each attempt at a step. */
import { Effect } from "effect"
import type { Catalog } from "../../catalog"
import type { SessionRunnerModel } from "../../session/runner/model"
import type { SessionSchema } from "../../session/schema"
import { CombinedRun } from "../choice/run"
import { CombinedPool } from "../host/pool"
import { CombinedSettings } from "../settings"
import { CombinedRunnerCatalogue } from "./catalogue"
import { CombinedRunnerListing } from "./listing"
import { CombinedRunnerResolve } from "./resolve"
import { CombinedRunnerRoute } from "./route"

type Session = SessionSchema.Info

/** Replaces `Effect.fn`. */
export const fn =
  (catalog: Catalog.Interface) =>
  (
    body: (
      session: Session,
    ) => Generator<Effect.Effect<unknown, SessionRunnerModel.Error>, SessionRunnerModel.Resolved, never>,
  ) => {
    const one = Effect.fn("SessionRunnerModel.resolve")(body)

    return Effect.fn("CombinedRunnerModel.resolve")(function* (session: Session) {
      const asked = session.model ?? (yield* catalog.model.default())
      if (asked?.providerID !== CombinedRunnerListing.ID) return yield* one(session)
      const found = yield* CombinedRunnerCatalogue.find(catalog, asked.id)
      if (!found?.members.length) return yield* one(session)
      const first = (yield* CombinedRunnerRoute.Current) ?? CombinedRun.make()
      const pool = CombinedPool.look({
        settings: CombinedSettings.failover(yield* CombinedRunnerCatalogue.settings(catalog)),
        credentials: () => undefined,
      })
      const resolve = (
        run: CombinedRunnerRoute.Run,
      ): Effect.Effect<SessionRunnerModel.Resolved, SessionRunnerModel.Error> =>
        Effect.gen(function* () {
          const search = { found, run, pool, session, wanted: session.model?.variant, one }
          const { resolved, member, variant } = yield* CombinedRunnerResolve.resolve(search)
          CombinedRunnerRoute.mark(resolved.model, {
            id: found.id,
            session: session.id,
            member,
            members: found.members,
            pool,
            settings: { ...pool.settings, onRefusal: found.onRefusal },
            run,
            variant,
            resolve,
            state: {},
          })
          return resolved
        })
      return yield* resolve(first)
    })
  }

export * as CombinedRunnerModel from "./model"
