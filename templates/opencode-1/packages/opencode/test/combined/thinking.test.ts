import { expect, test } from "bun:test"
import { ModelV2 } from "@opencode-ai/core/model"
import { ProviderV2 } from "@opencode-ai/core/provider"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import type { ModelMessage } from "ai"
import { Effect } from "effect"
import { CombinedRoute } from "@/combined/provider/route"
import { CombinedProgress } from "@/combined/driver/progress"
import { CombinedSettings } from "@/combined/settings"
import { CombinedThinking } from "@/combined/history/thinking"
import type { LLM } from "@/session/llm"
import { MessageV2 } from "@/session/message-v2"
import { MessageID, PartID, SessionID } from "@/session/schema"
import { ProviderTest } from "../fake/provider"

const sessionID = SessionID.make("ses_one")

const member = (providerID: string, npm: string, id = "claude-sonnet-4-5") => {
  const base = ProviderTest.model({ id: ModelV2.ID.make(id), providerID: ProviderV2.ID.make(providerID) })
  const model = {
    ...base,
    api: { ...base.api, id, npm },
    options: { thinking: { type: "enabled" }, kept: true },
    variants: { high: { thinking: { type: "enabled" } } },
  }
  return CombinedRoute.mark(model, {
    id: "claude",
    fail: () => Effect.succeed({ type: "serve", model }),
    next: () => Effect.succeed({ type: "serve", model }),
    succeed: Effect.void,
    find: () => Effect.succeed(model),
    others: () => Effect.succeed(true),
    cooling: Effect.succeed(undefined),
    unproven: Effect.succeed(false),
    claim: Effect.succeed(true),
    release: Effect.void,
    settings: CombinedSettings.failover({}),
  })
}

const anthropic = () => member("anthropic", "@ai-sdk/anthropic")
const bedrock = () => member("amazon-bedrock", "@ai-sdk/amazon-bedrock", "anthropic.claude-sonnet-4-5-20250929-v1:0")
const vertex = () => member("google-vertex-anthropic", "@ai-sdk/google-vertex/anthropic", "claude-sonnet-4-5@20250929")
const openrouter = () => member("openrouter", "@openrouter/ai-sdk-provider", "anthropic/claude-sonnet-4.5")
const copilot = () => member("github-copilot", "@ai-sdk/github-copilot", "claude-sonnet-4.5")

type Thought = { readonly text: string; readonly metadata: Record<string, Record<string, unknown>> | undefined }

let count = 0
const own = (messageID: MessageID) => ({ id: PartID.make(`prt_${++count}`), sessionID, messageID })

const user = (text: string): SessionV1.WithParts => {
  const id = MessageID.make(`msg_${++count}`)
  const model = { providerID: ProviderV2.ID.make("combined"), modelID: ModelV2.ID.make("claude") }
  return {
    info: { id, sessionID, role: "user", agent: "build", model, time: { created: 1 } },
    parts: [{ ...own(id), type: "text", text }],
  }
}

/** What a member has thought before it called a tool, as upstream stores it. */
const step = (
  by: ReturnType<typeof member>,
  thoughts: readonly Thought[],
  callID = "call_one",
): SessionV1.WithParts => {
  const id = MessageID.make(`msg_${++count}`)
  return {
    info: {
      id,
      sessionID,
      role: "assistant",
      parentID: MessageID.make("msg_0"),
      mode: "build",
      agent: "build",
      path: { cwd: "/", root: "/" },
      cost: 0,
      tokens: { input: 0, output: 0, reasoning: 0, cache: { read: 0, write: 0 } },
      providerID: by.providerID,
      modelID: by.id,
      time: { created: 1, completed: 2 },
      finish: "tool-calls",
    },
    parts: [
      { ...own(id), type: "step-start" },
      ...thoughts.map(({ text, metadata }) => ({
        ...own(id),
        type: "reasoning" as const,
        text,
        metadata,
        time: { start: 1, end: 2 },
      })),
      {
        ...own(id),
        type: "tool",
        tool: "bash",
        callID,
        metadata: { anthropic: { caller: "x" } },
        state: { status: "completed", input: {}, output: "done", title: "", metadata: {}, time: { start: 1, end: 2 } },
      },
    ],
  }
}

const sent = (messages: SessionV1.WithParts[], model: ReturnType<typeof member>) =>
  Effect.runPromise(MessageV2.toModelMessagesEffect(CombinedThinking.carry(messages, model), model))

const thoughts = (messages: readonly ModelMessage[]) =>
  messages.flatMap((message) =>
    message.role === "assistant" && typeof message.content !== "string"
      ? message.content.flatMap((part) => (part.type === "reasoning" ? [part] : []))
      : [],
  )

const request = (model: ReturnType<typeof member>) => {
  const input = {
    model,
    agent: { options: { thinking: { type: "enabled" }, mine: 1 } },
    user: { model: { variant: "high" } },
  }
  return CombinedThinking.silence(input as unknown as LLM.StreamInput)
}

const isSilent = (model: ReturnType<typeof member>) => request(model).user.model.variant === undefined

const SIGNED = { text: "let me see", metadata: { anthropic: { signature: "sig-one" } } }

for (const [to, metadata] of [
  [bedrock, { bedrock: { signature: "sig-one" } }],
  [vertex, { anthropic: { signature: "sig-one" } }],
  [
    openrouter,
    {
      openrouter: {
        reasoning_details: [
          { type: "reasoning.text", text: "let me see", signature: "sig-one", format: "anthropic-claude-v1", index: 0 },
        ],
      },
    },
  ],
] as const) {
  test(`thinking signed at Anthropic goes on at ${to().providerID}, which may think on`, async () => {
    const model = to()
    const messages = await sent([user("do it"), step(anthropic(), [SIGNED])], model)
    const found: unknown = thoughts(messages).map((part) => [part.text, part.providerOptions])
    expect(found).toEqual([["let me see", metadata]])
    expect(messages.map((message) => message.role)).toEqual(["user", "assistant", "tool"])
    expect(JSON.stringify(messages)).not.toContain("caller")
    expect(isSilent(model)).toBe(false)
  })
}

test("thinking of Bedrock and OpenRouter goes on at Anthropic, hidden thinking too", async () => {
  for (const [by, metadata, result] of [
    [bedrock(), { bedrock: { signature: "sig-two" } }, { signature: "sig-two" }],
    [bedrock(), { bedrock: { redactedData: "hidden" } }, { redactedData: "hidden" }],
    [
      openrouter(),
      { openrouter: { reasoning_details: [{ type: "reasoning.text", text: "let me see", signature: "sig-two" }] } },
      { signature: "sig-two" },
    ],
    [
      openrouter(),
      { openrouter: { reasoning_details: [{ type: "reasoning.encrypted", data: "hidden" }] } },
      { redactedData: "hidden" },
    ],
  ] as const) {
    const messages = await sent([user("do it"), step(by, [{ text: "let me see", metadata }])], anthropic())
    expect(thoughts(messages).map((part) => part.providerOptions)).toEqual([{ anthropic: result }])
  }
})

test("of two thoughts each keeps its own signature, and OpenRouter finds both in the first", async () => {
  const two = [SIGNED, { text: "and so", metadata: { anthropic: { signature: "sig-two" } } }]
  const plain = await sent([user("do it"), step(anthropic(), two)], bedrock())
  expect(thoughts(plain).map((part) => part.providerOptions?.bedrock?.signature)).toEqual(["sig-one", "sig-two"])
  const routed = JSON.stringify(thoughts(await sent([user("do it"), step(anthropic(), two)], openrouter()))[0])
  expect([routed.includes("sig-one"), routed.includes("sig-two")]).toEqual([true, true])
})

for (const [what, history, to] of [
  ["without a signature", [step(anthropic(), [{ text: "let me see", metadata: undefined }])], bedrock()],
  ["where nothing was thought", [step(anthropic(), [])], bedrock()],
  ["of an SDK that cannot take it", [step(anthropic(), [SIGNED])], copilot()],
  ["of another model", [step(member("anthropic", "@ai-sdk/anthropic", "claude-opus-4-5"), [SIGNED])], bedrock()],
  [
    "of which one part lacks its signature",
    [step(anthropic(), [SIGNED, { text: "x", metadata: undefined }])],
    bedrock(),
  ],
] as const) {
  test(`thinking ${what}: the request goes without, and everything else stays`, async () => {
    const messages = await sent([user("do it"), ...history], to)
    expect(thoughts(messages)).toEqual([])
    expect(JSON.stringify(messages)).not.toContain("sig-one")
    const { model, agent, user: by } = request(to)
    expect([by.model.variant, model.options, agent.options]).toEqual([undefined, { kept: true }, { mine: 1 }])
  })
}

test("a member that refused a signature while it answered this message is asked without thinking", async () => {
  const model = bedrock()
  const message = user("do it")
  CombinedProgress.of(message.info.id).unthinking.add(`${model.providerID}/${model.id}`)
  const messages = await sent([message, step(anthropic(), [SIGNED])], model)
  expect(thoughts(messages)).toEqual([])
  expect(isSilent(model)).toBe(true)
})

test("what was thought for an earlier message of the user is not needed", async () => {
  const model = bedrock()
  const messages = await sent([user("do it"), step(copilot(), []), user("and now?")], model)
  expect(thoughts(messages)).toEqual([])
  expect(isSilent(model)).toBe(false)
})

test("a member's own thinking stays as it is", async () => {
  const model = anthropic()
  const history = [user("do it"), step(anthropic(), [SIGNED])]
  expect(CombinedThinking.carry(history, model)).toEqual(history)
  expect(isSilent(model)).toBe(false)
})

test("a model that is not Claude, or not combined, is left alone", () => {
  const history = [user("do it"), step(anthropic(), [SIGNED])]
  const gpt = member("openai", "@ai-sdk/openai", "gpt-5")
  const { providerID, id, api } = bedrock()
  const plain = { ...ProviderTest.model({ id, providerID }), api }
  expect(CombinedThinking.carry(history, gpt)).toBe(history)
  expect(CombinedThinking.carry(history, plain)).toBe(history)
})

const gemini = (providerID = "google", npm = "@ai-sdk/google", id = "gemini-3-pro-preview") =>
  member(providerID, npm, id)
const vertexGemini = () => gemini("google-vertex", "@ai-sdk/google-vertex")

/** Two calls of one step; Gemini signs the first. */
const calls = (by: ReturnType<typeof member>, metadata?: Record<string, Record<string, unknown>>) => {
  const made = step(by, [{ text: "let me see", metadata: undefined }])
  const [call] = made.parts.filter((part) => part.type === "tool")
  const second = { ...call, ...own(made.info.id), callID: "call_two", metadata: undefined }
  return { ...made, parts: [...made.parts.map((part) => (part === call ? { ...call, metadata } : part)), second] }
}

const signatures = (messages: readonly ModelMessage[]) =>
  messages.flatMap((message) =>
    message.role === "assistant" && typeof message.content !== "string"
      ? message.content.flatMap((part) => (part.type === "tool-call" ? [part.providerOptions] : []))
      : [],
  )

const GEMINI = { google: { thoughtSignature: "sig-one" } }
const LOST = { google: { thoughtSignature: "skip_thought_signature_validator" } }

for (const [what, history, to, expected] of [
  ["goes on at Vertex", calls(gemini(), GEMINI), vertexGemini(), GEMINI],
  [
    "of Vertex goes on at Google",
    calls(vertexGemini(), { vertex: { thoughtSignature: "sig-one" } }),
    gemini(),
    { vertex: { thoughtSignature: "sig-one" } },
  ],
  [
    "of another model is given as lost",
    calls(gemini("google", "@ai-sdk/google", "gemini-2.5-pro"), GEMINI),
    gemini(),
    LOST,
  ],
  ["of an SDK that has none is given as lost", calls(openrouter()), vertexGemini(), LOST],
] as const) {
  test(`what Gemini signed ${what}`, async () => {
    const found: unknown = signatures(await sent([user("do it"), history], to))
    expect(found).toEqual([expected, undefined])
  })
}

test("Gemini's own signatures stay, and older models and messages are left alone", () => {
  const own = [user("do it"), calls(gemini(), GEMINI)]
  expect(CombinedThinking.carry(own, gemini())).toEqual(own)
  const old = [user("do it"), calls(openrouter())]
  expect(CombinedThinking.carry(old, gemini("google", "@ai-sdk/google", "gemini-2.5-pro"))).toBe(old)
  const past = [...old, user("and now?")]
  expect(CombinedThinking.carry(past, gemini())).toEqual(past)
})

test("a signature that Gemini refuses is given as lost", async () => {
  const model = gemini()
  expect(CombinedThinking.isRefusal("400 Thought signature is not valid.")).toBe(true)
  const message = user("do it")
  CombinedProgress.of(message.info.id).unthinking.add(`${model.providerID}/${model.id}`)
  const found: unknown = signatures(await sent([message, calls(vertexGemini(), GEMINI), calls(model, GEMINI)], model))
  expect(found).toEqual([LOST, undefined, LOST, undefined])
})
