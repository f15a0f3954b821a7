/** Resolves a combined model to the model of the member to ask now. Upstream does so for each attempt at a step. */
import { Effect } from "effect"
import { Form } from "../../form"
import { SessionRunnerModel } from "../../session/runner/model"
import type { SessionSchema } from "../../session/schema"
import { SessionStore } from "../../session/store"
import { CombinedRun } from "../choice/run"
import { CombinedWarm } from "../choice/warm"
import { CombinedPool } from "../host/pool"
import { CombinedSettings } from "../settings"
import { CombinedRunnerCatalogue } from "./catalogue"
import { CombinedRunnerListing } from "./listing"
import { CombinedRunnerQuestion } from "./question"
import { CombinedRunnerResolve } from "./resolve"
import { CombinedRunnerRoute } from "./route"
import { CombinedRunnerSteering } from "./steering"
import { AgentV2 } from "./upstream/agent"
import { defaultOf, type Catalog } from "./upstream/catalog"
import { CombinedRunnerWarm } from "./warm"

type Session = SessionSchema.Info

/** The further arguments that upstream passes with the session. */
type Rest = Parameters<SessionRunnerModel.Interface["resolve"]> extends [unknown, ...infer Args] ? Args : never

/** Replaces `Effect.fn` around upstream's `resolve`. */
export const fn = Effect.fnUntraced(function* (catalog: Catalog) {
  const sessions = yield* SessionStore.Service
  const agents = yield* AgentV2.Service
  const forms = yield* Form.Service

  /** The session that the user opened. */
  const rootOf = (session: Session): Effect.Effect<string> =>
    session.parentID
      ? Effect.flatMap(sessions.get(session.parentID), (parent) =>
          parent ? rootOf(parent) : Effect.succeed(session.id),
        )
      : Effect.succeed(session.id)

  /** The stored answers of the session; none if it cannot be read. */
  const answersOf = (session: Session["id"]) =>
    sessions.context(session).pipe(
      Effect.map(CombinedRunnerWarm.answers),
      Effect.orElseSucceed((): CombinedRunnerWarm.Answers => []),
    )

  /** Asks the user whether a member may bill a request, unless the configuration answers that. */
  const put = (agent: Session["agent"], member: CombinedRunnerListing.Member) => (session: string) =>
    Effect.gen(function* () {
      const ruled = CombinedRunnerQuestion.ruled((yield* agents.resolve(agent))?.permissions ?? [])
      if (ruled) return ruled
      return CombinedRunnerQuestion.read(yield* forms.ask(CombinedRunnerQuestion.form(session, member)))
    }).pipe(Effect.orDie)

  return (
    body: (
      session: Session,
      ...rest: Rest
    ) => Generator<Effect.Effect<unknown, SessionRunnerModel.Error>, SessionRunnerModel.Resolved, never>,
  ) => {
    const asUpstream = Effect.fn("SessionRunnerModel.resolve")(body)

    return Effect.fn("CombinedRunnerModel.resolve")(function* (session: Session, ...rest: Rest) {
      const one = (session: Session) => asUpstream(session, ...rest)
      const asked = session.model ?? (yield* defaultOf(catalog))
      if (!asked) return yield* one(session)
      const found =
        asked.providerID === CombinedRunnerListing.ID
          ? yield* CombinedRunnerCatalogue.find(catalog, asked.id, session.agent)
          : yield* CombinedRunnerCatalogue.alone(
              catalog,
              { providerID: asked.providerID, modelID: asked.id },
              session.agent,
            )
      const wrong = found ? [] : yield* CombinedRunnerCatalogue.wrong(catalog)
      if (asked.providerID === CombinedRunnerListing.ID && wrong.length) {
        const error = new SessionRunnerModel.ModelUnavailableError({ providerID: asked.providerID, modelID: asked.id })
        return yield* Object.defineProperty(error, "message", { value: wrong.join("\n") })
      }
      if (!found?.members.length) return yield* one(session)
      const first = (yield* CombinedRunnerRoute.Current) ?? CombinedRun.make()
      const settings = yield* CombinedRunnerCatalogue.settings(catalog)
      const pool = CombinedPool.look({
        settings: CombinedSettings.failover(settings),
        credentials: () => undefined,
      })
      const wishes = CombinedRunnerSteering.of(session.id)
      const resolve = (
        run: CombinedRunnerRoute.Run,
      ): Effect.Effect<SessionRunnerModel.Resolved, SessionRunnerModel.Error> =>
        Effect.gen(function* () {
          run.steer = yield* wishes
          run.answers ??= yield* answersOf(session.id)
          run.warm = CombinedWarm.warm(run.answers, Date.now(), pool.settings.stickiness)
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
            money: CombinedSettings.money(settings),
            wishes,
            nameOf: found.nameOf,
            root: rootOf(session),
            put: put(session.agent, member),
            variant,
            resolve,
            state: {},
          })
          return resolved
        })
      return yield* resolve(first)
    })
  }
})

export * as CombinedRunnerModel from "./model"
