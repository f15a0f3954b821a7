/** The server: what clients need of OpenCode 2's API, below /api. */
import { Catalog } from "@opencode-ai/core/catalog"
import { EventV2 } from "@opencode-ai/core/event"
import type { ModelV2 } from "@opencode-ai/core/model"
import { SessionV2 } from "@opencode-ai/core/session"
import { SessionExecution } from "@opencode-ai/core/session/execution"
import { SessionRestart } from "@opencode-ai/core/session/execution/restart"
import { SessionStore } from "@opencode-ai/core/session/store"
import { Effect } from "effect"
import { Locations } from "./locations"
import { version } from "./version"

type Options = { readonly hostname: string; readonly port: number; readonly password: string | undefined }

type Body = {
  readonly text?: string
  readonly prompt?: string
  readonly agent?: string
  readonly model?: ModelV2.Ref
  readonly location?: { readonly directory?: string }
}

const data = (found: unknown) => Response.json({ data: found })

const events = (directory: string) =>
  new Response(
    new ReadableStream({
      start: async (controller) => {
        const send = (event: unknown) => controller.enqueue(`data: ${JSON.stringify(event)}\n\n`)
        send({ type: "server.connected", data: {} })
        await project(directory).runPromise(
          Effect.flatMap(EventV2.Service, ({ listen }) =>
            listen((event) => {
              try {
                send(event)
              } catch {
                // The client has gone.
              }
            }),
          ),
        )
      },
    }),
    { headers: { "content-type": "text/event-stream" } },
  )

const resumed = new Set<string>()

/** The services of a project. Suspended turns resume on the first request. */
function project(directory: string) {
  const found = Locations.at(directory)
  if (!resumed.has(directory))
    found.runFork(Effect.flatMap(SessionRestart.Service, ({ resumeSuspendedSessions }) => resumeSuspendedSessions))
  resumed.add(directory)
  return found
}

async function answer(request: Request): Promise<Response> {
  const url = new URL(request.url)
  const [, api, kind, id, action] = url.pathname.split("/")
  const body = (request.method === "POST" ? await request.json().catch(() => ({})) : {}) as Body
  const named = request.headers.get("x-opencode-directory")
  const asked = body.location?.directory ?? (named === null ? process.cwd() : decodeURIComponent(named))
  if (api !== "api") return new Response("Not found", { status: 404 })
  if (kind === "health") return Response.json({ healthy: true, version })
  if (kind === "event") return events(asked)
  if (kind === "session" && id === "active")
    return data(Object.fromEntries(SessionExecution.active().map((id) => [id, { type: "running" }])))
  const isMade = kind === "session" && id !== undefined
  const store = project(asked)
  const session = isMade
    ? await store.runPromise(Effect.flatMap(SessionStore.Service, ({ get }) => get(id)))
    : undefined
  if (isMade && !session) return new Response(`There is no session ${id}`, { status: 404 })
  return project(session?.location.directory ?? asked).runPromise(
    Effect.gen(function* () {
      const sessions = yield* SessionV2.Service
      const stored = yield* SessionStore.Service
      switch (`${request.method} ${kind}`) {
        case "GET model":
          return data(yield* (yield* Catalog.Service).model.available())
        case "GET provider":
          return data(yield* (yield* Catalog.Service).provider.available())
        case "POST session":
          if (!session) return data(yield* sessions.create(body))
          break
        case "GET session":
          if (!session) return data(yield* stored.list())
          if (!action) return data(session)
          break
        default:
          return new Response("Not found", { status: 404 })
      }
      switch (`${request.method} ${action}`) {
        case "GET message": {
          const found = yield* stored.context(session.id)
          const ordered = url.searchParams.get("order") === "desc" ? found.toReversed() : found
          return data(ordered.slice(0, Number(url.searchParams.get("limit") ?? ordered.length)))
        }
        case "POST prompt":
          return data(yield* sessions.prompt(session.id, body.text ?? ""))
        case "POST interrupt":
          return data(yield* sessions.interrupt(session.id).pipe(Effect.as(true)))
        case "POST compact":
          return data(yield* sessions.compact(session.id))
        case "POST generate":
          return data({ text: yield* sessions.generate(session.id, body.prompt ?? "") })
      }
      return new Response("Not found", { status: 404 })
    }).pipe(Effect.catch((error) => Effect.succeed(new Response(error.message, { status: 500 })))),
  )
}

export function serve({ hostname, port, password }: Options) {
  const login = password === undefined ? undefined : `Basic ${btoa(`opencode:${password}`)}`
  const server = Bun.serve({
    hostname,
    port,
    idleTimeout: 0,
    fetch: (request) =>
      login !== undefined && request.headers.get("authorization") !== login
        ? new Response("Unauthorized", { status: 401 })
        : answer(request),
  })
  console.log(`opencode server listening on ${server.url.origin}`)
}
