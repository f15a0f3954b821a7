/** Answers the routes below `/combined`, and tells clients when the members' health changes. */
import { Catalog } from "@opencode-ai/core/catalog"
import { CombinedDesk } from "@opencode-ai/core/combined/host/desk"
import { CombinedLive } from "@opencode-ai/core/combined/host/live"
import { CombinedSteering } from "@opencode-ai/core/combined/host/steering"
import { CombinedRunnerPicture } from "@opencode-ai/core/combined/runner/picture"
import { CombinedRunnerSessions } from "@opencode-ai/core/combined/runner/sessions"
import { CombinedRunnerSteering } from "@opencode-ai/core/combined/runner/steering"
import { CombinedRunnerSurvey } from "@opencode-ai/core/combined/runner/survey"
import { CombinedRunnerTelling } from "@opencode-ai/core/combined/runner/telling"
import { Credential } from "@opencode-ai/core/credential"
import { Database } from "@opencode-ai/core/database/database"
import { EventV2 } from "@opencode-ai/core/event"
import { Location } from "@opencode-ai/core/location"
import { LocationServiceMap } from "@opencode-ai/core/location-services"
import { PluginSupervisor } from "@opencode-ai/core/plugin/supervisor"
import { AbsolutePath } from "@opencode-ai/core/schema"
import { SessionV2 } from "@opencode-ai/core/session"
import { SessionNotFoundError } from "@opencode-ai/protocol/errors"
import { Effect } from "effect"
import { HttpServerRequest } from "effect/unstable/http"
import { HttpApiBuilder } from "effect/unstable/httpapi"
import { Api } from "../api"
import { requestRef } from "../location"
import { MemberNotFoundError } from "./group"

/** How long to wait for a project's plugins to say which models there are. */
const STARTS = "5 seconds"

export const CombinedHandler = HttpApiBuilder.group(Api, "server.combined", (handlers) =>
  Effect.gen(function* () {
    const sessions = yield* SessionV2.Service
    const { db } = yield* Database.Service
    const stored = CombinedRunnerSessions.sessions(db)
    CombinedRunnerSteering.open(stored)
    const events = yield* EventV2.Service
    const credentials = yield* Credential.Service
    const locations = yield* LocationServiceMap.Service
    yield* CombinedDesk.watch(CombinedRunnerTelling.health(events)).pipe(Effect.forkScoped)

    const gone = (sessionID: SessionV2.ID) => () =>
      new SessionNotFoundError({ sessionID, message: `Session not found: ${sessionID}` })

    const found = (id: SessionV2.ID) => sessions.get(id).pipe(Effect.mapError(gone(id)))

    /** The location of the session, or that of the request. */
    const where = Effect.fnUntraced(function* (id: SessionV2.ID | undefined) {
      if (id !== undefined) return (yield* found(id)).location
      const request = yield* HttpServerRequest.HttpServerRequest
      const directory = new URL(request.url, "http://localhost").searchParams.get("directory")
      return directory ? Location.Ref.make({ directory: AbsolutePath.make(directory) }) : requestRef(request)
    })

    /** Asks the catalogue of a project, once its plugins have said which models there are. */
    const there = <A, E, R>(
      session: SessionV2.ID | undefined,
      ask: (catalog: Catalog.Interface) => Effect.Effect<A, E, R>,
    ) =>
      Effect.gen(function* () {
        const make = Effect.gen(function* () {
          const plugins = yield* PluginSupervisor.Service
          const catalog = yield* Catalog.Service
          yield* plugins.flush.pipe(Effect.timeoutOption(STARTS))
          return yield* ask(catalog)
        })
        return yield* make.pipe(Effect.provide(locations.get(yield* where(session))))
      })

    const picture = (session: SessionV2.ID | undefined, seen: Parameters<typeof CombinedRunnerPicture.make>[1]) =>
      there(session, (catalog) => CombinedRunnerPicture.make(catalog, seen))

    const see = Effect.fn("CombinedHandler.see")(function* (id: SessionV2.ID) {
      const messages = yield* sessions.messages({ sessionID: id, order: "asc" }).pipe(Effect.mapError(gone(id)))
      const steer = yield* CombinedRunnerSteering.of(id)
      return yield* picture(id, { steer, messages, asked: CombinedLive.asked(id) })
    })

    const desk = CombinedDesk.make({
      members: (id: SessionV2.ID | undefined) => picture(id, CombinedRunnerPicture.NO_SESSION),
      change: (id, change) => CombinedSteering.change(stored, id, change).pipe(Effect.mapError(gone(id))),
      children: (id) => Effect.andThen(found(id), stored.children(id)),
      unknown: (message): MemberNotFoundError | SessionNotFoundError => new MemberNotFoundError({ message }),
    })

    return handlers
      .handle("picture", ({ query: { sessionID } }) =>
        sessionID === undefined ? picture(undefined, CombinedRunnerPicture.NO_SESSION) : see(sessionID),
      )
      .handle("clear", ({ payload }) => desk.clear(payload.member))
      .handle("pin", ({ params, payload }) => desk.pin(params.sessionID, payload.member ?? undefined))
      .handle("skip", ({ params, payload }) => desk.skip(params.sessionID, payload.member, payload.skip ?? true))
      .handle("off", ({ params, payload }) => desk.off(params.sessionID, payload.off))
      .handle("next", ({ params }) => desk.next(params.sessionID))
      .handle("report", ({ query: { all } }) =>
        there(undefined, (catalog) => CombinedRunnerSurvey.make(catalog, { all: all === "true" })).pipe(
          Effect.provideService(Credential.Service, credentials),
        ),
      )
  }),
)

export * as CombinedServer from "./handler"
