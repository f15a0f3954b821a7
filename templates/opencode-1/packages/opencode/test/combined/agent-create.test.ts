import { expect, setDefaultTimeout } from "bun:test"
import { ProviderV2 } from "@opencode-ai/core/provider"
import { Cause, Effect, Exit } from "effect"
import { Agent } from "@/agent/agent"
import { CombinedAgentCreate } from "@/combined/whole/agent"
import { Provider } from "@/provider/provider"
import { refuse } from "./fake-provider"
import { combinedSession, it } from "./rig"

setDefaultTimeout(30_000)

const OWNER = { identifier: "reviewer", whenToUse: "For reviews", systemPrompt: "You review." }

const made = refuse(200, {
  id: "chat-1",
  object: "chat.completion",
  created: 0,
  model: "glm-4.6",
  choices: [{ index: 0, message: { role: "assistant", content: JSON.stringify(OWNER) }, finish_reason: "stop" }],
})

const refused = refuse(401, { error: { message: "The key was revoked" } })

it.instance("the next member is asked for a new agent when one fails", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const agents = yield* Agent.Service
    const providers = yield* Provider.Service
    chat.first.answer(refused)
    chat.second.answer(made)
    expect(yield* agents.generate({ description: "reviews", model: chat.model })).toEqual(OWNER)

    expect(chat.first.asked).toHaveLength(1)
    const now = yield* providers.getModel(chat.model.providerID, chat.model.modelID)
    expect(String(now.providerID)).toBe(chat.ids.second)
  }),
)

it.instance("a new agent that no member can make ends with the last error", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const agents = yield* Agent.Service
    chat.first.answer(refused)
    chat.second.answer(refuse(401, { error: { message: "You are not known here" } }))
    const exit = yield* agents.generate({ description: "reviews", model: chat.model }).pipe(Effect.exit)
    expect(Exit.isFailure(exit) ? Cause.pretty(exit.cause) : "").toContain("You are not known here")
  }),
)

it.instance("upstream makes a new agent of a model that is not combined", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const agents = yield* Agent.Service
    chat.first.answer(refused)
    const model = { providerID: ProviderV2.ID.make(chat.ids.first), modelID: chat.model.modelID }
    expect(Exit.isFailure(yield* agents.generate({ description: "reviews", model }).pipe(Effect.exit))).toBe(true)
    expect(chat.second.asked).toHaveLength(0)
  }),
)

// Upstream recognises a ChatGPT login by the provider's name, and such a login needs a request of its own kind.
it.instance("a member is asked under its own name, and so is a model that is not combined", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const providers = yield* Provider.Service
    const ask = CombinedAgentCreate.fn(providers)(function* (input: { model?: typeof chat.model }) {
      return yield* Effect.succeed([String(input.model?.providerID), String(input.model?.modelID)])
    })
    expect(yield* ask({ model: chat.model })).toEqual([chat.ids.first, "glm-4.6"])
    const plain = { providerID: ProviderV2.ID.make(chat.ids.second), modelID: chat.model.modelID }
    expect(yield* ask({ model: plain })).toEqual([chat.ids.second, "glm-4.6"])
  }),
)
