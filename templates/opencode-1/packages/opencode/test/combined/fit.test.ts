import { expect, setDefaultTimeout, test } from "bun:test"
import { ModelV2 } from "@opencode-ai/core/model"
import { ProviderV2 } from "@opencode-ai/core/provider"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { Effect } from "effect"
import { CombinedFit } from "@/combined/request/fit"
import { refuse, text } from "./fake-provider"
import { combinedSession, it, served, texts } from "./rig"

setDefaultTimeout(30_000)

const PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

const image = {
  type: "file" as const,
  mime: "image/png",
  filename: "pixel.png",
  url: `data:image/png;base64,${PIXEL}`,
}

const blind = { modalities: { input: ["text" as const], output: ["text" as const] }, attachment: false }
const seeing = {
  modalities: { input: ["text" as const, "image" as const], output: ["text" as const] },
  attachment: true,
}

it.instance("an image goes to a member that can read it, and words to the preferred one before it", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ models: { first: blind, second: seeing } })
    chat.first.answer(text("words"))
    chat.second.answer(text("a pixel"))
    yield* chat.ask("hello")
    yield* chat.ask("", { parts: [{ type: "text", text: "what is it?" }, image] })

    expect(served(yield* chat.answers)).toEqual([chat.ids.first, chat.ids.second])
    expect(JSON.stringify(chat.second.asked[0].messages)).toContain(PIXEL)
  }),
)

it.instance("an image that nobody else can read goes to the preferred one", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ models: { first: blind, second: blind } })
    chat.first.answer(text("I see none"))
    yield* chat.ask("", { parts: [{ type: "text", text: "what is it?" }, image] })

    expect(served(yield* chat.answers)).toEqual([chat.ids.first])
  }),
)

it.instance("the turn waits for a member that can read the image and is back in a moment", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ models: { first: seeing, second: blind } })
    chat.first.answer(refuse(503, { error: { message: "Overloaded" } }, { "retry-after": "1" }), text("a pixel"))
    yield* chat.ask("", { parts: [{ type: "text", text: "what is it?" }, image] })

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["a pixel"]])
    expect(chat.second.asked).toHaveLength(0)
  }),
)

it.instance("when those that can read an image are unavailable, the others are asked", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ models: { first: seeing, second: blind } })
    chat.first.answer(refuse(429, { error: { message: "Rate limit reached" } }, { "retry-after": "3600" }))
    chat.second.answer(text("I see none"))
    yield* chat.ask("", { parts: [{ type: "text", text: "what is it?" }, image] })

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["I see none"]])
  }),
)

it.instance(
  "a conversation that is too long for the preferred member continues at one with room, and is not compacted",
  () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession({ models: { first: { limit: { context: 60_000, output: 10_000 } } } })
      chat.first.answer(text("one", { input: 55_000, output: 100 }))
      chat.second.answer(text("two", { input: 56_000, output: 100 }))
      yield* chat.ask("hello")
      yield* chat.ask("again")

      const answers = yield* chat.answers
      expect(answers.some((item) => item.info.summary)).toBe(false)
      expect(served(answers)).toEqual([chat.ids.first, chat.ids.second])
    }),
)

const MINUTE = 60_000
const NOW = 1_000 * MINUTE

/** An answer that a member gave this many minutes ago. */
const answer = (providerID: string, minutes: number, more: Partial<SessionV1.Assistant> = {}) =>
  ({
    info: {
      role: "assistant",
      providerID: ProviderV2.ID.make(providerID),
      modelID: ModelV2.ID.make("glm"),
      time: { created: NOW - minutes * MINUTE, completed: NOW - minutes * MINUTE + 1000 },
      ...more,
    },
    parts: [],
  }) as unknown as SessionV1.WithParts

const error = { name: "UnknownError" as const, data: { message: "it broke" } }

for (const [who, messages, warm] of [
  ["who answered a moment ago", [answer("a", 60), answer("b", 1)], ["b"]],
  ["both, where both did", [answer("a", 2), answer("b", 1)], ["a", "b"]],
  ["nobody after a pause", [answer("a", 6)], []],
  ["not who took over more than half an hour ago", [answer("a", 40), answer("b", 31), answer("b", 1)], []],
  ["who took over a little less than that ago", [answer("a", 40), answer("b", 29), answer("b", 1)], ["b"]],
  ["who has always served, however long", [answer("b", 40), answer("b", 1)], ["b"]],
  ["not who failed", [answer("b", 1, { error })], []],
  ["not who made a summary", [answer("b", 1, { summary: true })], []],
] as const) {
  test(`of a session's members ${who} holds its prompt cache`, () => {
    const holds = CombinedFit.warm(messages, NOW, 5 * MINUTE)
    expect(["a", "b"].filter((providerID) => holds({ providerID, modelID: "glm" }))).toEqual([...warm])
  })
}

const tokens = { input: 195_000, output: 100, reasoning: 0, cache: { read: 0, write: 0 } }

test("the summarised messages do not count for the room that is needed", () => {
  const needed = (summary: boolean) => CombinedFit.needs([answer("a", 1, { tokens, summary })]).tokens
  expect([needed(false), needed(true)]).toEqual([195_100, 0])
})

test("an image that a tool has returned must be read too", () => {
  const part = { type: "tool", state: { status: "completed", attachments: [{ ...image, type: "file" }] } }
  const message = { ...answer("a", 1, { tokens }), parts: [part] } as unknown as SessionV1.WithParts
  expect([...CombinedFit.needs([message]).modes]).toEqual(["image"])
})
