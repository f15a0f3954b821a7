import { expect, test } from "bun:test"
import { ModelV2 } from "@opencode-ai/core/model"
import { ProviderV2 } from "@opencode-ai/core/provider"
import { SessionV1 } from "@opencode-ai/core/v1/session"
import type { ModelMessage } from "ai"
import { Effect } from "effect"
import { CombinedRoute } from "@/combined/provider/route"
import { CombinedCalls } from "@/combined/history/calls"
import { CombinedClaude } from "@/combined/history/claude"
import { CombinedRebuild } from "@/combined/history/rebuild"
import { ProviderTransform } from "@/provider/transform"
import type { LLM } from "@/session/llm"
import { MessageV2 } from "@/session/message-v2"
import { MessageID, PartID, SessionID } from "@/session/schema"
import { ProviderTest } from "../fake/provider"
import { routeSample } from "./route-sample"

const sessionID = SessionID.make("ses_one")

const member = (providerID: string, npm: string, id = "claude-sonnet-4-5") => {
  const base = ProviderTest.model({ id: ModelV2.ID.make(id), providerID: ProviderV2.ID.make(providerID) })
  const model = {
    ...base,
    api: { ...base.api, id, npm },
    options: { thinking: { type: "enabled" }, kept: true },
    variants: { high: { thinking: { type: "enabled" } } },
  }
  return CombinedRoute.mark(model, routeSample(model))
}

/** The member after it has refused these parts of the history. */
const refusing = (model: ReturnType<typeof member>) =>
  CombinedRoute.mark(model, routeSample(model, { forgone: new Set(["thinking", "items", "calls"]) }))

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

/** A member's thoughts before it called a tool, as upstream stores them. */
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
  Effect.runPromise(MessageV2.toModelMessagesEffect(messages, model))

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
  return CombinedClaude.silence(input as unknown as LLM.StreamInput)
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

test("a member that refused a signature for this message is asked without thinking", async () => {
  const model = refusing(bedrock())
  const message = user("do it")
  const messages = await sent([message, step(anthropic(), [SIGNED])], model)
  expect(thoughts(messages)).toEqual([])
  expect(isSilent(model)).toBe(true)
})

test("thinking for an earlier message of the user is not needed", async () => {
  const model = bedrock()
  const messages = await sent([user("do it"), step(copilot(), []), user("and now?")], model)
  expect(thoughts(messages)).toEqual([])
  expect(isSilent(model)).toBe(false)
})

test("a member's own thinking stays as it is", async () => {
  const model = anthropic()
  const history = [user("do it"), step(anthropic(), [SIGNED])]
  expect(CombinedRebuild.rebuild(history, model)).toEqual(history)
  expect(isSilent(model)).toBe(false)
})

test("a model that is not combined is not changed", () => {
  const history = [user("do it"), step(anthropic(), [SIGNED])]
  const { providerID, id, api } = bedrock()
  const plain = { ...ProviderTest.model({ id, providerID }), api }
  expect(CombinedRebuild.rebuild(history, plain)).toBe(history)
})

const gemini = (providerID = "google", npm = "@ai-sdk/google", id = "gemini-3-pro-preview") =>
  member(providerID, npm, id)
const vertexGemini = () => gemini("google-vertex", "@ai-sdk/google-vertex")

/** Two calls in one step. Gemini only signs the first. */
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
  expect(CombinedRebuild.rebuild(own, gemini())).toEqual(own)
  const old = [user("do it"), calls(openrouter())]
  for (const [history, model] of [
    [old, gemini("google", "@ai-sdk/google", "gemini-2.5-pro")],
    [[...old, user("and now?")], gemini()],
  ] as const)
    expect(JSON.stringify(CombinedRebuild.rebuild([...history], model))).not.toContain("skip_thought_signature")
})

test("a signature that Gemini refuses is sent as lost", async () => {
  const model = refusing(gemini())
  const message = user("do it")
  const found: unknown = signatures(await sent([message, calls(vertexGemini(), GEMINI), calls(model, GEMINI)], model))
  expect(found).toEqual([LOST, undefined, LOST, undefined])
})

// Open models sign nothing. Their thoughts go back in each protocol's own way, and never as text for the user.
const OPEN = "glm-4.6"

const open = (providerID: string, npm: string, field?: "reasoning_content" | "reasoning_details") => {
  const model = member(providerID, npm, OPEN)
  const capabilities = { ...model.capabilities, reasoning: true, ...(field && { interleaved: { field } }) }
  return Object.assign(model, { capabilities, options: {} })
}

const THOUGHT = { text: "SECRET", metadata: { acme: { reasoning: "x" } } }

/** The history as it goes to the SDK. */
const wire = async (messages: SessionV1.WithParts[], model: ReturnType<typeof member>) =>
  ProviderTransform.message(await sent(messages, model), model, {})

const assistant = (messages: readonly ModelMessage[]) => {
  const found = messages.find((message) => message.role === "assistant")
  if (!found || typeof found.content === "string") throw new Error("no answer of a model in the history")
  return { ...found, content: found.content }
}

const saying = (messages: readonly ModelMessage[]) =>
  assistant(messages).content.flatMap((part) => (part.type === "text" ? [part.text] : []))

const history = (by = open("acme", "@ai-sdk/openai-compatible")) => [user("do it"), step(by, [THOUGHT])]

test("the thoughts of an open model go to another provider in the model's own field", async () => {
  const messages = await wire(history(), open("other", "@ai-sdk/openai-compatible", "reasoning_content"))
  expect(assistant(messages).providerOptions?.openaiCompatible?.reasoning_content).toBe("SECRET")
  expect(saying(messages)).toEqual([])
})

test("or as thoughts, which the SDK writes into its protocol's field", async () => {
  for (const npm of ["@ai-sdk/openai-compatible", "@ai-sdk/groq", "@ai-sdk/cerebras"]) {
    const messages = await wire(history(), open("other", npm))
    expect(thoughts(messages).map((part) => [part.text, part.providerOptions])).toEqual([["SECRET", undefined]])
    expect(saying(messages)).toEqual([])
  }
})

test("or as OpenRouter's details, in a format that need not be signed", async () => {
  const messages = await wire(history(), open("openrouter", "@openrouter/ai-sdk-provider"))
  expect(thoughts(messages).map((part) => part.providerOptions)).toEqual([
    { openrouter: { reasoning_details: [{ type: "reasoning.text", text: "SECRET", format: "unknown", index: 0 }] } },
  ])
  expect(saying(messages)).toEqual([])
})

for (const npm of [
  "@ai-sdk/anthropic",
  "@ai-sdk/amazon-bedrock",
  "@ai-sdk/openai",
  "@ai-sdk/azure",
  "@ai-sdk/mistral",
  "@ai-sdk/alibaba",
  "@ai-sdk/xai",
])
  test(`or not at all, where ${npm} would drop them or make text of them`, async () => {
    const messages = await wire(history(), open("other", npm))
    expect(JSON.stringify(messages)).not.toContain("SECRET")
    expect(messages.map((message) => message.role)).toEqual(["user", "assistant", "tool"])
  })

test("a member that does not think gets no thoughts", async () => {
  const model = open("other", "@ai-sdk/openai-compatible")
  Object.assign(model, { capabilities: { ...model.capabilities, reasoning: false } })
  expect(JSON.stringify(await wire(history(), model))).not.toContain("SECRET")
})

test("thoughts of earlier turns, and of stopped answers, do not become text either", async () => {
  const model = open("other", "@ai-sdk/openai-compatible")
  const messages = await wire([...history(), user("and now?")], model)
  expect(saying(messages)).toEqual([])
  const stopped = history()
  const { info } = stopped[1]
  if (info.role === "assistant") info.error = new SessionV1.AbortedError({ message: "stopped" }).toObject()
  expect(saying(await wire(stopped, model))).toEqual([])
})

// What OpenAI encrypts, and the ids of items that it stores, belong to one account.
const sealed = { openai: { itemId: "rs_abc", reasoningEncryptedContent: "gAAAsealed" } }
const gpt = (providerID: string, npm = "@ai-sdk/openai") => member(providerID, npm, "gpt-5")

test("what one account has encrypted is sent to no other, and stays with its own", async () => {
  const made = step(gpt("openai"), [{ text: "", metadata: sealed }])
  for (const reader of [gpt("azure", "@ai-sdk/azure"), gpt("other"), gpt("acme", "@ai-sdk/openai-compatible")])
    expect(JSON.stringify(await sent([user("do it"), made], reader))).not.toMatch(/gAAAsealed|rs_abc/)
  expect(JSON.stringify(await sent([user("do it"), made], gpt("openai")))).toContain("gAAAsealed")
})

test("a member that refuses its own items is asked without them, and the calls stay", async () => {
  const reader = refusing(gpt("openai"))
  const message = user("do it")
  const messages = await sent([message, step(reader, [{ text: "", metadata: sealed }])], reader)
  expect(JSON.stringify(messages)).not.toMatch(/gAAAsealed|rs_abc/)
  expect(messages.map((item) => item.role)).toEqual(["user", "assistant", "tool"])
})

test("a tool that a provider has run itself is a normal call for the next one", async () => {
  const made = step(gpt("openai"), [])
  for (const part of made.parts) if (part.type === "tool") part.metadata = { providerExecuted: true, ...sealed }
  const messages = await sent([user("do it"), made], open("other", "@ai-sdk/openai-compatible"))
  expect(messages.map((item) => item.role)).toEqual(["user", "assistant", "tool"])
})

const LONG_ID = `call_${"x".repeat(90)}`

test("calls and their results get ids that the reader accepts", async () => {
  for (const [reader, form] of [
    [gpt("other"), /^[a-zA-Z0-9_-]{1,64}$/],
    [open("other", "@ai-sdk/openai-compatible"), /^.{1,40}$/],
    [bedrock(), /^[a-zA-Z0-9_-]{1,64}$/],
    [member("mistral", "@ai-sdk/mistral", "devstral-medium"), /^[a-zA-Z0-9]{9}$/],
  ] as const) {
    const by = open("acme", "@ai-sdk/openai-compatible")
    const told = [
      user("do it"),
      step(by, [], LONG_ID),
      step(by, [], "functions.bash:1"),
      step(by, [], "functions.bash:1"),
    ]
    const messages = ProviderTransform.message(CombinedCalls.named(await sent(told, reader), reader, false), reader, {})
    const calls = ids(messages, "tool-call")
    for (const id of calls) expect(id).toMatch(form)
    expect(new Set(calls).size).toBe(3)
    expect(ids(messages, "tool-result")).toEqual(calls)
  }
})

test("a member that refuses the ids gets the strictest form", async () => {
  const reader = open("other", "@ai-sdk/openai-compatible")
  const told = await sent([user("do it"), step(reader, [], "call_short")], reader)
  const [id] = ids(CombinedCalls.named(told, reader, true), "tool-call")
  expect(id).toMatch(/^[a-zA-Z0-9]{9}$/)
})

function ids(messages: readonly ModelMessage[], type: "tool-call" | "tool-result") {
  return messages.flatMap((message) =>
    (message.role === "assistant" || message.role === "tool") && typeof message.content !== "string"
      ? message.content.flatMap((part) => (part.type === type ? [part.toolCallId] : []))
      : [],
  )
}
