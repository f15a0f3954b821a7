/** Upstream's own rig with two fake providers of one model, and what tests do with it. */
import path from "path"
import { ConfigV1 } from "@opencode-ai/core/v1/config/config"
import { SessionV1 } from "@opencode-ai/core/v1/session"
import { Database } from "@opencode-ai/core/database/database"
import { LayerNode } from "@opencode-ai/core/effect/layer-node"
import { FSUtil } from "@opencode-ai/core/fs-util"
import { ModelV2 } from "@opencode-ai/core/model"
import { Npm } from "@opencode-ai/core/npm"
import { ProviderV2 } from "@opencode-ai/core/provider"
import { SessionProjector } from "@opencode-ai/core/session/projector"
import { Effect, Layer } from "effect"
import { Agent } from "@/agent/agent"
import { CombinedNotice } from "@/combined/turn/notice"
import { Config } from "@/config/config"
import { RuntimeFlags } from "@/effect/runtime-flags"
import { Env } from "@/env"
import { EventV2Bridge } from "@/event-v2-bridge"
import { LSP } from "@/lsp/lsp"
import { MCP } from "@/mcp"
import { Permission } from "@/permission"
import { Provider } from "@/provider/provider"
import { Question } from "@/question"
import { SessionCompaction } from "@/session/compaction"
import { SessionPrompt } from "@/session/prompt"
import { SessionRevert } from "@/session/revert"
import type { SessionID } from "@/session/schema"
import { Session } from "@/session/session"
import { SessionStatus } from "@/session/status"
import { SessionSummary } from "@/session/summary"
import { ShareNext } from "@/share/share-next"
import { NpmTest } from "../fake/npm"
import { TestInstance } from "../fixture/fixture"
import { pollWithTimeout, testEffect } from "../lib/effect"
import { fakeProvider } from "./fake-provider"

const runtime = LayerNode.compile(
  LayerNode.group([
    SessionPrompt.node,
    SessionCompaction.node,
    SessionRevert.node,
    SessionStatus.node,
    SessionProjector.node,
    Session.node,
    ShareNext.node,
    Permission.node,
    Question.node,
    Provider.node,
    Config.node,
    Env.node,
    Agent.node,
    Database.node,
    EventV2Bridge.node,
    FSUtil.node,
  ]),
  [
    [
      SessionSummary.node,
      Layer.mock(SessionSummary.Service, {
        summarize: () => Effect.void,
        diff: () => Effect.succeed([]),
        computeDiff: () => Effect.succeed([]),
      }),
    ],
    [Npm.node, NpmTest.noop],
    [LSP.node, Layer.mock(LSP.Service, { init: () => Effect.void, touchFile: () => Effect.void })],
    [
      MCP.node,
      Layer.mock(MCP.Service, {
        clients: () => Effect.succeed({}),
        instructions: () => Effect.succeed([]),
        tools: () => Effect.succeed({}),
        prompts: () => Effect.succeed({}),
      }),
    ],
    [
      RuntimeFlags.node,
      RuntimeFlags.layer({
        experimentalEventSystem: true,
        enableQuestionTool: true,
        experimentalBackgroundSubagents: true,
      }),
    ],
  ],
)

export const it = testEffect(runtime)

/**
 * What the fake providers' models cost, in dollars per million tokens. The second costs ten times as much as the first.
 */
export const COST = { first: { input: 1, output: 2 }, second: { input: 10, output: 20 } }

/** The key of both providers, which must not appear anywhere else. */
export const KEY = "a-recognisable-key-of-the-tests"

const counter = { value: 0 }

type Model = NonNullable<NonNullable<NonNullable<ConfigV1.Info["provider"]>[string]["models"]>[string]>

const model = (cost: { input: number; output: number }): Model => ({
  name: "GLM 4.6",
  attachment: false,
  reasoning: true,
  temperature: false,
  tool_call: true,
  release_date: "2025-09-30",
  limit: { context: 200_000, output: 10_000 },
  cost,
})

type Options = {
  readonly config?: Partial<ConfigV1.Info>
  /** With a given title, the session does not ask for one. */
  readonly title?: string | false
  readonly permission?: "allow" | "ask"
  /** The key `combined` of the configuration. Without `max_attempts` in it, no member is asked twice in a row. */
  readonly combined?: ConfigV1.Info["combined"]
  /** Changes to the model of a provider. */
  readonly models?: { readonly first?: Partial<Model>; readonly second?: Partial<Model> }
  /** The ids of the providers' models, if they are different models. Then nothing is combined automatically. */
  readonly modelIDs?: { readonly first: string; readonly second: string }
  /** The key `combined` of the configuration, made from the names of the models. */
  readonly chain?: (names: { readonly first: string; readonly second: string }) => ConfigV1.Info["combined"]
  /** Whether the first provider's own model is chosen instead of a combined one. */
  readonly alone?: boolean
  /** Further settings for the first provider, besides its key and address. */
  readonly settings?: { readonly headerTimeout?: number; readonly chunkTimeout?: number }
  /** The SDK of a provider that speaks another protocol. */
  readonly npm?: { readonly first?: string; readonly second?: string }
}

/**
 * A session on the combined model of two fake providers, `first` before `second`. Their ids are new each time, since
 * cooldowns are kept by provider for the whole process.
 */
export const combinedSession = Effect.fn("test.combinedSession")(function* (options: Options = {}) {
  const { directory } = yield* TestInstance
  const files = yield* FSUtil.Service
  const number = ++counter.value
  // Without the priority, the order would be reversed.
  const ids = { first: `preferred-${number}`, second: `fallback-${number}` }
  const modelIDs = options.modelIDs ?? { first: "glm-4.6", second: "glm-4.6" }
  const names = { first: `${ids.first}/${modelIDs.first}`, second: `${ids.second}/${modelIDs.second}` }
  const first = yield* fakeProvider
  const second = yield* fakeProvider
  const provider = (which: "first" | "second", url: string) => ({
    name: ids[which],
    id: ids[which],
    env: [],
    npm: options.npm?.[which] ?? "@ai-sdk/openai-compatible",
    models: { [modelIDs[which]]: { ...model(COST[which]), ...options.models?.[which] } },
    options: { apiKey: KEY, baseURL: url, ...(which === "first" && options.settings) },
  })
  yield* files.writeWithDirs(
    path.join(directory, "opencode.json"),
    JSON.stringify({
      $schema: "https://opencode.ai/config.json",
      formatter: false,
      lsp: false,
      provider: {
        [ids.second]: provider("second", second.url),
        [ids.first]: provider("first", first.url),
      },
      provider_priority: [ids.first, ids.second],
      combined: { max_attempts: 1, ...options.combined, ...options.chain?.(names) },
      ...options.config,
    }),
  )

  const providers = yield* Provider.Service
  const prompt = yield* SessionPrompt.Service
  const sessions = yield* Session.Service
  const listed = (yield* providers.list())[ProviderV2.ID.make("combined")]
  const [modelID] = Object.keys(listed?.models ?? {})
  const ref = options.alone
    ? { providerID: ProviderV2.ID.make(ids.first), modelID: ModelV2.ID.make(modelIDs.first) }
    : { providerID: ProviderV2.ID.make("combined"), modelID: ModelV2.ID.make(modelID) }
  const chat = yield* sessions.create({
    ...(options.title === false ? {} : { title: options.title ?? "Pinned" }),
    permission: [{ permission: "*", pattern: "*", action: options.permission ?? "allow" }],
  })

  const stored = answers(chat.id)
  const asker = (sessionID: SessionID) => (text: string, more?: Partial<SessionPrompt.PromptInput>) =>
    prompt.prompt({ sessionID, agent: "build", model: ref, parts: [{ type: "text", text }], ...more })

  return {
    directory,
    ids,
    first,
    second,
    model: ref,
    id: chat.id,
    file: (name: string) => path.join(directory, name),
    ask: asker(chat.id),
    /** Another session with the same providers. */
    fork: sessions
      .create({ title: "Pinned too" })
      .pipe(Effect.map((made) => ({ ask: asker(made.id), answers: answers(made.id) }))),
    history: sessions.messages({ sessionID: chat.id }),
    answers: stored,
    /** Waits until the answers have such a part. Parts are stored while they stream. */
    holds: (test: (part: SessionV1.Part) => boolean) =>
      pollWithTimeout(
        stored.pipe(Effect.map((list) => list.flatMap((item) => item.parts).find(test))),
        "the part of an answer that the test waits for never came",
        "10 seconds",
      ),
  }
})

/** A structured answer that a test asks for: `{ answer: number }`. */
export const ANSWER = new SessionV1.OutputFormatJsonSchema({
  type: "json_schema",
  retryCount: 0,
  schema: { type: "object", properties: { answer: { type: "number" } }, required: ["answer"] },
})

/** The assistant's messages of a session, as stored. */
export const answers = (sessionID: SessionID) =>
  Session.Service.use((sessions) => sessions.messages({ sessionID })).pipe(
    Effect.map((messages) =>
      messages.flatMap((item) => (item.info.role === "assistant" ? [{ info: item.info, parts: item.parts }] : [])),
    ),
  )

/** The providers under which answers are stored. */
export const served = (list: Effect.Success<ReturnType<typeof answers>>) =>
  list.map((item) => String(item.info.providerID))

export const texts = (parts: readonly SessionV1.Part[]) =>
  parts.flatMap((part) => (part.type === "text" ? [part.text] : []))

export const tools = (parts: readonly SessionV1.Part[]) => parts.flatMap((part) => (part.type === "tool" ? [part] : []))

/** Text, reasoning and tools that have begun and were never closed. */
export const open = (parts: readonly SessionV1.Part[]) =>
  parts.filter((part) => {
    if (part.type === "text" || part.type === "reasoning") return part.time?.end === undefined
    return part.type === "tool" && (part.state.status === "pending" || part.state.status === "running")
  })

/** Resolves once a file exists that a tool of the test writes. */
export async function written(file: string): Promise<void> {
  if (await Bun.file(file).exists()) return
  await Bun.sleep(10)
  return written(file)
}

/** The lines that `opencode run` would print for a session, from now on. */
export const announced = Effect.fn("test.announced")(function* (id: SessionID) {
  const events = yield* EventV2Bridge.Service
  const lines: string[] = []
  const off = yield* events.listen((item) => {
    if (item.type !== SessionStatus.Event.Status.type) return Effect.void
    const line = CombinedNotice.announced({ type: "session.status", properties: item.data }, id)
    if (line) lines.push(line)
    return Effect.void
  })
  yield* Effect.addFinalizer(() => off)
  return lines
})
