/** Sessions, in an SQLite file. */
import { Database } from "bun:sqlite"
import path from "path"
import { Global } from "@opencode-ai/core/global"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import type { ProviderMetadata, Usage } from "@opencode-ai/llm"
import { Context, Effect, Layer, Option, Schema } from "effect"
import { BuildInfo } from "@/build-info"
import { Bus } from "@/event"
import { Identifier } from "@/id"
import type { Provider } from "@/provider/provider"

export type Info = { id: string; title: string; directory: string; parentID?: string; time: { created: number } }

type PartKey = { sessionID: string; messageID: string; partID: string }

export class NotFound extends Schema.TaggedErrorClass<NotFound>()("SessionNotFoundError", { id: Schema.String }) {
  override get message() {
    return `Session not found: ${this.id}`
  }
}

export interface Interface {
  readonly list: () => Effect.Effect<Info[]>
  readonly create: (input: { parentID?: string; title?: string }) => Effect.Effect<Info>
  readonly get: (id: string) => Effect.Effect<Info, NotFound>
  readonly setTitle: (input: { sessionID: string; title: string }) => Effect.Effect<void, NotFound>
  readonly messages: (input: { sessionID: string }) => Effect.Effect<SessionV1.WithParts[], NotFound>
  /** The newest message that matches. */
  readonly findMessage: (
    sessionID: string,
    predicate: (message: SessionV1.WithParts) => boolean,
  ) => Effect.Effect<Option.Option<SessionV1.WithParts>, NotFound>
  readonly updateMessage: <T extends SessionV1.Info>(message: T) => Effect.Effect<T>
  readonly removeMessage: (input: { sessionID: string; messageID: string }) => Effect.Effect<string>
  readonly getPart: (input: PartKey) => Effect.Effect<SessionV1.Part | undefined>
  readonly updatePart: <T extends SessionV1.Part>(part: T) => Effect.Effect<T>
  readonly removePart: (input: PartKey) => Effect.Effect<string>
}

export class Service extends Context.Service<Service, Interface>()("@small/Session") {}

export const UNTITLED = "New session"

/** The tokens of a step, and what they cost in dollars. */
export const getUsage = (input: { model: Provider.Model; usage: Usage; metadata?: ProviderMetadata }) => {
  const { inputTokens = 0, outputTokens = 0 } = input.usage
  const price = input.model.cost
  return {
    cost: (inputTokens * price.input + outputTokens * price.output) / 1_000_000,
    tokens: { input: inputTokens, output: outputTokens, cache: { read: 0, write: 0 } },
  }
}

type Row = { data: string }

function open() {
  const suffix = ["latest", "beta", "prod"].includes(BuildInfo.channel) ? "" : `-${BuildInfo.channel}`
  const database = new Database(path.join(Global.Path.data, `opencode${suffix}.db`))
  database.run("pragma journal_mode = wal")
  database.run("create table if not exists session (id text primary key, data text)")
  database.run("create table if not exists message (id text primary key, session_id text, data text)")
  database.run("create table if not exists part (id text primary key, message_id text, session_id text, data text)")
  return database
}

export const layer = Layer.sync(Service, () => {
  const database = open()

  const rows = <T>(query: string, ...values: string[]): T[] =>
    database
      .query<Row, string[]>(query)
      .all(...values)
      .map((row) => JSON.parse(row.data))

  const run = (query: string, ...values: string[]) => database.query<unknown, string[]>(query).run(...values)

  const write = (info: Info) => run("insert or replace into session values (?, ?)", info.id, JSON.stringify(info))

  const get = (id: string) =>
    Effect.suspend(() => {
      const [found] = rows<Info>("select data from session where id = ?", id)
      return found ? Effect.succeed(found) : Effect.fail(new NotFound({ id }))
    })

  const messages = Effect.fn("Session.messages")(function* (input: { sessionID: string }) {
    yield* get(input.sessionID)
    const parts = rows<SessionV1.Part>("select data from part where session_id = ? order by id", input.sessionID)
    return rows<SessionV1.Info>("select data from message where session_id = ? order by id", input.sessionID).map(
      (info) => ({ info, parts: parts.filter((part) => part.messageID === info.id) }),
    )
  })

  return Service.of({
    list: () => Effect.sync(() => rows<Info>("select data from session order by id desc")),
    create: (input) =>
      Effect.sync(() => {
        const info = {
          id: Identifier.ascending("ses"),
          parentID: input.parentID,
          title: input.title ?? UNTITLED,
          directory: process.cwd(),
          time: { created: Date.now() },
        }
        write(info)
        return info
      }),
    get,
    setTitle: (input) => get(input.sessionID).pipe(Effect.map((info) => void write({ ...info, title: input.title }))),
    messages,
    findMessage: (sessionID, predicate) =>
      messages({ sessionID }).pipe(Effect.map((found) => Option.fromUndefinedOr(found.findLast(predicate)))),
    updateMessage: (info) =>
      Effect.gen(function* () {
        run("insert or replace into message values (?, ?, ?)", info.id, info.sessionID, JSON.stringify(info))
        yield* Bus.publish({ type: "message.updated", properties: { sessionID: info.sessionID, info } })
        return info
      }),
    removeMessage: ({ sessionID, messageID }) =>
      Effect.gen(function* () {
        run("delete from part where message_id = ?", messageID)
        run("delete from message where id = ?", messageID)
        yield* Bus.publish({ type: "message.removed", properties: { sessionID, messageID } })
        return messageID
      }),
    getPart: ({ partID }) => Effect.sync(() => rows<SessionV1.Part>("select data from part where id = ?", partID)[0]),
    updatePart: (part) =>
      Effect.gen(function* () {
        const { id, messageID, sessionID } = part
        run("insert or replace into part values (?, ?, ?, ?)", id, messageID, sessionID, JSON.stringify(part))
        yield* Bus.publish({ type: "message.part.updated", properties: { sessionID, part } })
        return part
      }),
    removePart: ({ sessionID, partID }) =>
      Effect.gen(function* () {
        run("delete from part where id = ?", partID)
        yield* Bus.publish({ type: "message.part.removed", properties: { sessionID, partID } })
        return partID
      }),
  })
})

export * as Session from "./session"
