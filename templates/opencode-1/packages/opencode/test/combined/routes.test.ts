/** The routes below `/combined`, called as a client calls them. */
import { expect, setDefaultTimeout } from "bun:test"
import { Effect, Layer } from "effect"
import { GlobalBus } from "@/bus/global"
import { CombinedCooldown } from "@/combined/health/cooldown"
import { CombinedHealthStore } from "@/combined/health/store"
import { CombinedHealthFile } from "@/combined/host/health-file"
import type { CombinedPicture } from "@/combined/view/picture"
import { resetDatabase } from "../fixture/db"
import { TestInstance } from "../fixture/fixture"
import { testEffect } from "../lib/effect"
import { httpApiLayer, request } from "../server/httpapi-layer"

setDefaultTimeout(30_000)

const state = Layer.effectDiscard(
  Effect.acquireRelease(
    Effect.promise(() => resetDatabase()),
    () => Effect.promise(() => resetDatabase()),
  ),
)

const it = testEffect(Layer.mergeAll(state, httpApiLayer))

const provider = (id: string, name: string) => ({
  name,
  id,
  env: [],
  npm: "@ai-sdk/openai-compatible",
  models: { "glm-4.6": { name: "GLM 4.6" } },
  options: { apiKey: "key", baseURL: "http://127.0.0.1:9/v1" },
})

const [first, second] = ["routes-alpha", "routes-beta"]

const config = {
  formatter: false,
  lsp: false,
  provider: { [first]: provider(first, "Alpha Cloud"), [second]: provider(second, "Beta Router") },
  provider_priority: [first, second],
}

/** A session in a project with two providers of one model. */
const project = Effect.gen(function* () {
  const { directory } = yield* TestInstance
  const headers = { "x-opencode-directory": directory, "content-type": "application/json" }
  const call = Effect.fn("test.call")(function* (method: string, route: string, body?: unknown) {
    const init = { method, headers, ...(body !== undefined && { body: JSON.stringify(body) }) }
    const answer = yield* request(route, init)
    return { status: answer.status, body: (yield* answer.json) as never }
  })
  const session: { id: string } = (yield* call("POST", "/session", { title: "Steered" })).body
  const seen = Effect.fn("test.seen")(function* (id?: string) {
    const query = id === undefined ? "" : `?sessionID=${id}`
    const picture: CombinedPicture.Picture = (yield* call("GET", `/combined${query}`)).body
    return picture
  })
  const steer = (what: string, body: unknown) => call("POST", `/combined/session/${session.id}/${what}`, body)
  return { call, seen, steer, session: session.id }
})

const standings = (picture: CombinedPicture.Picture) =>
  picture.models.flatMap((model) => model.members.map((row) => [row.provider.name, row.standing, row.next]))

it.instance(
  "GET /combined shows the members in order, with their names",
  () =>
    Effect.gen(function* () {
      const { seen } = yield* project
      const picture = yield* seen()
      expect(picture.models.map((model) => [model.id, model.name])).toEqual([["glm-4.6", "GLM 4.6"]])
      expect(picture.models[0].members[0]).toMatchObject({
        member: `${first}/glm-4.6`,
        pinned: false,
        windows: [],
        cost: 0,
      })
      expect(standings(picture)).toEqual([
        ["Alpha Cloud", "ready", true],
        ["Beta Router", "ready", false],
      ])
    }),
  { config },
)

it.instance(
  "a session is steered, and shows what is wanted in it",
  () =>
    Effect.gen(function* () {
      const { seen, steer, session } = yield* project
      expect((yield* steer("pin", { member: `${second}/glm-4.6` })).body).toEqual({ pin: `${second}/glm-4.6` } as never)
      expect((yield* seen(session)).models[0].members.map((row) => [row.pinned, row.ruledOut])).toEqual([
        [false, "pinned elsewhere"],
        [true, undefined],
      ])
      expect((yield* steer("skip", { member: second })).body).toEqual({
        pin: `${second}/glm-4.6`,
        skip: [second],
      } as never)
      expect((yield* steer("pin", { member: null })).body).toEqual({ skip: [second] } as never)
      expect(standings(yield* seen(session))[1]).toEqual(["Beta Router", "skipped", false])
      expect((yield* steer("skip", { member: second, skip: false })).body).toEqual({} as never)
      expect((yield* steer("off", { off: true })).body).toEqual({ off: true } as never)
      expect((yield* seen(session)).models[0].members.map((row) => row.ruledOut)).toEqual([undefined, "off"])
      // Other sessions are not affected.
      expect(standings(yield* seen())[0]).toEqual(["Alpha Cloud", "ready", true])
      expect((yield* steer("next", undefined)).body).toEqual({ running: 0, moved: 0 } as never)
    }),
  { config },
)

it.instance(
  "unknown members and sessions are refused, with the nearest name",
  () =>
    Effect.gen(function* () {
      const { call, steer } = yield* project
      const refused = yield* steer("pin", { member: "routes-alhpa" })
      expect(refused.status).toBe(404)
      expect(JSON.stringify(refused.body)).toContain(`Did you mean ${first}?`)
      expect((yield* call("POST", "/combined/session/ses_unknown/pin", { member: first })).status).toBe(404)
      expect((yield* call("GET", "/combined?sessionID=ses_unknown")).status).toBe(404)
      expect((yield* steer("off", { off: "yes" })).status).toBe(400)
    }),
  { config },
)

it.instance(
  "what another process has learnt shows at once, and clients are told; asking again ends it",
  () =>
    Effect.gen(function* () {
      const { seen, call } = yield* project
      yield* seen()
      const told = Promise.withResolvers<void>()
      const listen = (event: { payload: { type?: string } }) => {
        if (event.payload.type === "combined.health") told.resolve()
      }
      GlobalBus.on("event", listen)
      yield* Effect.addFinalizer(() => Effect.sync(() => GlobalBus.off("event", listen)))
      const failure = { kind: "quota", scope: "provider", message: "no credit", retryAfter: 600_000 } as const
      const store = CombinedHealthStore.open(CombinedHealthFile.shelf(CombinedHealthFile.FILE), (state) => state)
      store.update((state) => CombinedCooldown.fail(state, first, "glm-4.6", failure, Date.now()))

      expect(standings(yield* seen())).toEqual([
        ["Alpha Cloud", "cooling", false],
        ["Beta Router", "ready", true],
      ])
      yield* Effect.promise(() => told.promise)
      const cleared = yield* call("POST", "/combined/clear", { member: first })
      expect(standings(cleared.body)[0]).toEqual(["Alpha Cloud", "ready", true])
      expect(CombinedCooldown.cooling(store.read(), first, "glm-4.6", Date.now())).toBeUndefined()
    }),
  { config },
)
