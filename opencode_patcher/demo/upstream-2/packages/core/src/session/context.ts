export * as SessionContext from "./context"

import { Context, Effect, Layer } from "effect"
import { AgentV2 } from "../agent"
import { Database } from "../database/database"
import { makeLocationNode } from "../effect/app-node"
import { PluginSupervisor } from "../plugin"
import { SessionHistory } from "./history"
import type { SessionMessage } from "./message"
import { SessionRunnerModel } from "./runner/model"
import type { SessionSchema } from "./schema"
import { SessionStore } from "./store"

export type Selection = {
  readonly session: SessionSchema.Info
  readonly agent: AgentV2.Info
}

export type Loaded = Selection & {
  readonly model: SessionRunnerModel.Resolved
  readonly messages: readonly SessionMessage.Info[]
}

export interface Interface {
  readonly select: (sessionID: SessionSchema.ID) => Effect.Effect<Selection>
  /** The model to ask now, and what it is told. */
  readonly load: (selection: Selection) => Effect.Effect<Loaded, SessionRunnerModel.Error>
}

export class Service extends Context.Service<Service, Interface>()("@small/SessionContext") {}

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const agents = yield* AgentV2.Service
    const { db } = yield* Database.Service
    const models = yield* SessionRunnerModel.Service
    const plugins = yield* PluginSupervisor.Service
    const store = yield* SessionStore.Service

    const select = Effect.fn("SessionContext.select")(function* (sessionID: SessionSchema.ID) {
      const session = yield* store.get(sessionID)
      if (!session) return yield* Effect.die(new Error(`There is no session ${sessionID}`))
      yield* plugins.flush
      const agent = yield* agents.resolve(session.agent)
      return agent ? { session, agent } : yield* Effect.die(new Error(`There is no agent ${session.agent}`))
    })

    const load = Effect.fn("SessionContext.load")(function* (selection: Selection) {
      const model = yield* models.resolve(selection.session)
      const messages = yield* SessionHistory.entriesForRunner(db, selection.session.id)
      return { ...selection, model, messages }
    })

    return Service.of({ select, load })
  }),
)

export const node = makeLocationNode({
  service: Service,
  layer,
  deps: [AgentV2.node, Database.node, PluginSupervisor.node, SessionRunnerModel.node, SessionStore.node],
})
