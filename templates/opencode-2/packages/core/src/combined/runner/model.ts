/** Resolves a combined model to that of the member to ask now. Upstream does so for each attempt at a step. */
import { Effect } from "effect"
import type { Catalog } from "../../catalog"
import { ModelV2 } from "../../model"
import { ProviderV2 } from "../../provider"
import type { SessionRunnerModel } from "../../session/runner/model"
import type { SessionSchema } from "../../session/schema"
import { CombinedAnswer } from "../choice/answer"
import { CombinedRun } from "../choice/run"
import { CombinedVariant } from "../choice/variant"
import { CombinedFailure } from "../failure/classify"
import { CombinedPool } from "../host/pool"
import { CombinedMember } from "../member"
import { CombinedSettings } from "../settings"
import { CombinedDecide } from "../turn/decide"
import { CombinedRunnerCatalogue } from "./catalogue"
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
      if (asked?.providerID !== CombinedRunnerCatalogue.ID) return yield* one(session)
      const found = yield* CombinedRunnerCatalogue.find(catalog, asked.id)
      if (!found?.members.length) return yield* one(session)
      const run = (yield* CombinedRunnerRoute.Current) ?? CombinedRun.make()
      const pool = CombinedPool.look({
        settings: CombinedSettings.failover(yield* CombinedRunnerCatalogue.settings(catalog)),
        credentials: () => undefined,
      })
      return yield* resolve({ found, run, pool, session, wanted: session.model?.variant, one })
    })
  }

type Search = {
  readonly found: CombinedRunnerCatalogue.Found
  readonly run: CombinedRunnerRoute.Run
  readonly pool: CombinedPool.Pool
  readonly session: Session
  readonly wanted: ModelV2.VariantID | undefined
  readonly one: (session: Session) => Effect.Effect<SessionRunnerModel.Resolved, SessionRunnerModel.Error>
}

/** The model of the member to ask. One that cannot be resolved, as with a login that cannot be renewed, is left. */
const resolve = (search: Search): Effect.Effect<SessionRunnerModel.Resolved, SessionRunnerModel.Error> =>
  Effect.gen(function* () {
    const { found, run, pool, session, wanted, one } = search
    const member = choose(pool, found.members, run)
    const effort = member.how?.variant ?? wanted
    const own = CombinedVariant.map(effort ?? "default", CombinedRunnerCatalogue.variants(member.model))
    const variant = effort === undefined || effort === "default" ? effort : own
    const model = {
      providerID: ProviderV2.ID.make(member.providerID),
      id: ModelV2.ID.make(member.modelID),
      ...(variant !== undefined && { variant: ModelV2.VariantID.make(variant) }),
    }
    const resolved = yield* one({ ...session, model }).pipe(Effect.result)
    if (resolved._tag === "Success") {
      CombinedRunnerRoute.mark(resolved.success.model, {
        id: found.id,
        session: session.id,
        member,
        members: found.members,
        pool,
        settings: { ...pool.settings, onRefusal: found.onRefusal },
        run,
        variant: { asked: effort, own: variant },
        resolve: (other) => resolve({ ...search, run: other }),
        state: {},
      })
      return resolved.success
    }
    const failure = CombinedFailure.fault(resolved.failure)
    run.answer = CombinedAnswer.leave(run.answer, member, { message: failure.message })
    if (!found.members.some(CombinedDecide.wish(run.answer, "step").open)) return yield* Effect.fail(resolved.failure)
    return yield* resolve(search)
  })

/** The member to ask; if none may be asked, the first: the error is then decided before its request. */
function choose(
  pool: CombinedPool.Pool,
  members: readonly CombinedRunnerRoute.Member[],
  run: CombinedRunnerRoute.Run,
): CombinedRunnerRoute.Member {
  const choice = pool.choose(members, wish(run, members))
  if (choice.type === "serve") return choice.member
  return choice.out[0]?.member ?? members[0]
}

/** What a request requires of the members. */
export function wish(
  run: CombinedRunnerRoute.Run,
  members: readonly CombinedRunnerRoute.Member[],
  answer = run.answer,
  purpose: CombinedDecide.Purpose = "step",
) {
  const holds = (member: CombinedMember.Member) => {
    const found = members.find((item) => CombinedMember.same(item, member))
    return found === undefined || (CombinedRun.mayHold(run, member, room(found)) && room(found) > (run.used ?? 0))
  }
  return { ...CombinedDecide.wish(answer, purpose), fits: holds }
}

/** The most that upstream leaves free for an answer. */
const LONGEST_ANSWER = 32_000

/** How many tokens a conversation may have before upstream compacts it; unlimited if unknown. */
export function room({ model: { limit } }: CombinedRunnerRoute.Member) {
  return limit.input ?? (limit.context ? limit.context - Math.min(limit.output, LONGEST_ANSWER) : Infinity)
}

export * as CombinedRunnerModel from "./model"
