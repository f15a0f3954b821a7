/** Answers the routes below `/combined`, and tells the clients of an instance when the members' health changes. */
import * as InstanceState from "@/effect/instance-state"
import { EventV2Bridge } from "@/event-v2-bridge"
import { Provider } from "@/provider/provider"
import { InstanceHttpApi } from "@/server/routes/instance/httpapi/api"
import { notFound } from "@/server/routes/instance/httpapi/errors"
import type { SessionID } from "@/session/schema"
import { Session } from "@/session/session"
import { Effect } from "effect"
import { HttpApiBuilder } from "effect/unstable/httpapi"
import { CombinedDesk } from "../host/desk"
import type { CombinedForms } from "../host/forms"
import { CombinedLive } from "../host/live"
import { CombinedSteering } from "../host/steering"
import { CombinedCatalogue } from "../provider/catalogue"
import { CombinedEvents } from "./events"
import type { PicturePayload } from "./group"

type InSession<Payload = undefined> = { readonly params: { readonly sessionID: SessionID }; readonly payload: Payload }

export const combinedHandlers = HttpApiBuilder.group(InstanceHttpApi, "combined", (handlers) =>
  Effect.gen(function* () {
    const providers = yield* Provider.Service
    const sessions = yield* Session.Service
    const events = yield* EventV2Bridge.Service

    /** Watches the health for an instance whose clients have asked about it, until the instance ends. */
    const watched = yield* InstanceState.make(
      Effect.fn("CombinedHttpApi.watched")(function* () {
        yield* CombinedDesk.watch(events.publish(CombinedEvents.Health, {})).pipe(Effect.forkScoped)
      }),
    )

    const found = (id: SessionID) => sessions.get(id).pipe(Effect.mapError((error) => notFound(error.message)))

    const see = Effect.fn("CombinedHttpApi.see")(function* (id: SessionID | undefined) {
      if (id === undefined) return yield* CombinedCatalogue.view(providers, { steer: {}, messages: [], asked: [] })
      yield* found(id)
      const messages = yield* sessions
        .messages({ sessionID: id })
        .pipe(Effect.mapError((error) => notFound(error.message)))
      return yield* CombinedCatalogue.view(providers, {
        steer: yield* CombinedSteering.of(sessions, id),
        messages,
        asked: CombinedLive.asked(id),
      })
    })

    const desk = CombinedDesk.make({
      members: () => see(undefined),
      change: (id: SessionID, change) =>
        CombinedSteering.change(sessions, id, change).pipe(Effect.mapError((error) => notFound(error.message))),
      children: (id) =>
        Effect.andThen(
          found(id),
          Effect.map(sessions.children(id), (all) => all.map((child) => child.id)),
        ),
      unknown: notFound,
    })

    return handlers
      .handle(
        "picture",
        Effect.fn("CombinedHttpApi.picture")(function* (ctx: { query: typeof PicturePayload.Type }) {
          yield* InstanceState.get(watched)
          return yield* see(ctx.query.sessionID)
        }),
      )
      .handle("clear", (ctx: { payload: typeof CombinedForms.Clear.Type }) => desk.clear(ctx.payload.member))
      .handle("pin", ({ params, payload }: InSession<typeof CombinedForms.Pin.Type>) =>
        desk.pin(params.sessionID, payload.member ?? undefined),
      )
      .handle("skip", ({ params, payload }: InSession<typeof CombinedForms.Skip.Type>) =>
        desk.skip(params.sessionID, payload.member, payload.skip ?? true),
      )
      .handle("off", ({ params, payload }: InSession<typeof CombinedForms.Off.Type>) =>
        desk.off(params.sessionID, payload.off),
      )
      .handle("next", ({ params }: Pick<InSession, "params">) => desk.next(params.sessionID))
  }),
)

export * as CombinedHandlers from "./handlers"
