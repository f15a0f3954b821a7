/** Answers the routes below `/combined`, and tells the clients of an instance when the members' health changes. */
import * as InstanceState from "@/effect/instance-state"
import { EventV2Bridge } from "@/event-v2-bridge"
import { Provider } from "@/provider/provider"
import { InstanceHttpApi } from "@/server/routes/instance/httpapi/api"
import { notFound } from "@/server/routes/instance/httpapi/errors"
import type { SessionID } from "@/session/schema"
import { Session } from "@/session/session"
import { Effect, Schedule } from "effect"
import { HttpApiBuilder } from "effect/unstable/httpapi"
import { CombinedLive } from "../driver/live"
import { CombinedSteering } from "../driver/steering"
import { CombinedPool } from "../host/pool"
import { nearest } from "../identity/nearest"
import { CombinedCatalogue } from "../provider/catalogue"
import { CombinedText } from "../text"
import { CombinedSteer } from "../choice/steer"
import { CombinedEvents } from "./events"
import type { ClearPayload, OffPayload, PicturePayload, PinPayload, SkipPayload } from "./group"

/** How often the shared file is looked at: all processes of a user agree within a second. */
const LOOK = "500 millis"

type InSession<Payload = undefined> = { readonly params: { readonly sessionID: SessionID }; readonly payload: Payload }

export const combinedHandlers = HttpApiBuilder.group(InstanceHttpApi, "combined", (handlers) =>
  Effect.gen(function* () {
    const providers = yield* Provider.Service
    const sessions = yield* Session.Service
    const events = yield* EventV2Bridge.Service

    /** Watches the health for an instance whose clients have asked about it, until the instance ends. */
    const watched = yield* InstanceState.make(
      Effect.fn("CombinedHttpApi.watched")(function* () {
        const known = { stamp: CombinedPool.stamp() }
        yield* Effect.suspend(() => {
          const stamp = CombinedPool.stamp()
          if (stamp === known.stamp) return Effect.void
          known.stamp = stamp
          return Effect.asVoid(events.publish(CombinedEvents.Health, {}))
        }).pipe(Effect.repeat(Schedule.spaced(LOOK)), Effect.forkScoped)
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

    /** The members with this name, in any combined model. */
    const named = Effect.fn("CombinedHttpApi.named")(function* (name: string) {
      const rows = (yield* see(undefined)).models.flatMap((model) => model.members)
      const members = rows
        .map((row) => ({ providerID: row.provider.id, modelID: row.model.id }))
        .filter((member) => CombinedSteer.names(name, member))
      if (members.length) return members
      const near = nearest(
        name,
        rows.flatMap((row) => [row.member, row.provider.id]),
      )
      const hint = near ? ` Did you mean ${near}?` : ""
      return yield* Effect.fail(notFound(`No combined model has a member ${CombinedText.shown(name)}.${hint}`))
    })

    const steer = Effect.fn("CombinedHttpApi.steer")(function* (
      id: SessionID,
      change: Parameters<typeof CombinedSteering.change>[2],
    ) {
      return yield* CombinedSteering.change(sessions, id, change).pipe(
        Effect.mapError((error) => notFound(error.message)),
      )
    })

    /** The session and those of its subagents. */
    const family = (id: SessionID): Effect.Effect<readonly SessionID[]> =>
      Effect.gen(function* () {
        const children = yield* sessions.children(id)
        const all = yield* Effect.forEach(children, (child) => family(child.id))
        return [id, ...all.flat()]
      })

    return handlers
      .handle(
        "picture",
        Effect.fn("CombinedHttpApi.picture")(function* (ctx: { query: typeof PicturePayload.Type }) {
          yield* InstanceState.get(watched)
          return yield* see(ctx.query.sessionID)
        }),
      )
      .handle(
        "clear",
        Effect.fn("CombinedHttpApi.clear")(function* (ctx: { payload: typeof ClearPayload.Type }) {
          const { member } = ctx.payload
          CombinedPool.forget(member === undefined ? undefined : yield* named(member))
          return yield* see(undefined)
        }),
      )
      .handle(
        "pin",
        Effect.fn("CombinedHttpApi.pin")(function* ({ params, payload }: InSession<typeof PinPayload.Type>) {
          const member = payload.member ?? undefined
          if (member !== undefined) yield* named(member)
          return yield* steer(params.sessionID, (before) => CombinedSteer.pin(before, member))
        }),
      )
      .handle(
        "skip",
        Effect.fn("CombinedHttpApi.skip")(function* ({ params, payload }: InSession<typeof SkipPayload.Type>) {
          yield* named(payload.member)
          return yield* steer(params.sessionID, (before) =>
            CombinedSteer.skip(before, payload.member, payload.skip ?? true),
          )
        }),
      )
      .handle(
        "off",
        Effect.fn("CombinedHttpApi.off")(function* ({ params, payload }: InSession<typeof OffPayload.Type>) {
          return yield* steer(params.sessionID, (before) => ({ ...before, off: payload.off }))
        }),
      )
      .handle(
        "next",
        Effect.fn("CombinedHttpApi.next")(function* ({ params }: Pick<InSession, "params">) {
          yield* found(params.sessionID)
          const all = yield* Effect.forEach(yield* family(params.sessionID), CombinedLive.pass)
          return {
            running: all.reduce((sum, item) => sum + item.running, 0),
            moved: all.reduce((sum, item) => sum + item.moved, 0),
          }
        }),
      )
  }),
)

export * as CombinedHandlers from "./handlers"
