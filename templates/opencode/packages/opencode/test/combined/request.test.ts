import { expect, setDefaultTimeout } from "bun:test"
import { Effect } from "effect"
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

it.instance("one that can read an image and is back in a moment is waited for", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ models: { first: seeing, second: blind } })
    chat.first.answer(refuse(503, { error: { message: "Overloaded" } }, { "retry-after": "1" }), text("a pixel"))
    yield* chat.ask("", { parts: [{ type: "text", text: "what is it?" }, image] })

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["a pixel"]])
    expect(chat.second.asked).toHaveLength(0)
  }),
)

it.instance("when those that can read an image are out, the others are asked", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ models: { first: seeing, second: blind } })
    chat.first.answer(refuse(429, { error: { message: "Rate limit reached" } }, { "retry-after": "3600" }))
    chat.second.answer(text("I see none"))
    yield* chat.ask("", { parts: [{ type: "text", text: "what is it?" }, image] })

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["I see none"]])
  }),
)

it.instance("a conversation that outgrew the preferred member goes on at one with room, and is not summed up", () =>
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
