/** Resolves a combined model to the model of the member to ask now. Upstream does so for each request. */
import type { Model } from "@opencode-ai/llm"
import { Effect } from "effect"
import type { Catalog } from "../../catalog"
import { Config } from "../../config"
import type { SessionSchema } from "../../session/schema"
import { CombinedRun } from "../choice/run"
import { CombinedPool } from "../host/pool"
import { CombinedSettings } from "../settings"
import { CombinedRunnerCatalogue } from "./catalogue"
import { CombinedRunnerListing } from "./listing"
import { CombinedRunnerResolve } from "./resolve"
import { CombinedRunnerRoute } from "./route"
import { CombinedRunnerSettings } from "./settings"

type Session = SessionSchema.Info

/** Replaces `Effect.fn` around upstream's `resolve`. */
export const fn = Effect.fnUntraced(function* (catalog: Catalog.Interface) {
  const config = yield* Config.Service
  return <Eff extends Effect.Effect<unknown, unknown, unknown>>(
    body: (session: Session) => Generator<Eff, Model, never>,
  ) => {
    const one = Effect.fn("SessionRunnerModel.resolve")(body)

    return Effect.fn("CombinedRunnerModel.resolve")(function* (session: Session) {
      const asked = session.model
      if (asked?.providerID !== CombinedRunnerListing.ID) return yield* one(session)
      const found = yield* CombinedRunnerCatalogue.find(catalog, asked.id).pipe(
        Effect.provideService(Config.Service, config),
      )
      if (!found?.members.length) return yield* one(session)
      const run = (yield* CombinedRunnerRoute.Current) ?? CombinedRun.make()
      const pool = CombinedPool.look({
        settings: CombinedSettings.failover(yield* CombinedRunnerSettings.read(config)),
        // The new runner stores logins separately; what the first API knows about them counts.
        credentials: () => undefined,
      })
      const { resolved, member } = yield* CombinedRunnerResolve.resolve({
        found,
        run,
        pool,
        session,
        wanted: asked.variant,
        one,
      })
      const { id, members } = found
      return CombinedRunnerRoute.mark(resolved, { id, session: session.id, member, members, pool, run })
    })
  }
})

export * as CombinedRunnerModel from "./model"
