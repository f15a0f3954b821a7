import { expect, setDefaultTimeout } from "bun:test"
import { Effect } from "effect"
import { call, event, finish, say, stream, text } from "./fake-provider"
import { combinedSession, it, served, texts } from "./rig"

setDefaultTimeout(30_000)

it.instance("a complete answer is kept, whatever the provider calls its end", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(stream(say("the whole answer"), ...finish("eos")))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([1, 0])
  }),
)

it.instance("an announced call that is never made is an empty answer", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(stream(...finish("tool_calls")))
    chat.second.answer(text("the whole answer"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([1, 1])
  }),
)

const google = { npm: { first: "@ai-sdk/google" } }

it.instance("a call that Gemini could not write is a failure", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession(google)
    const malformed = { content: { parts: [], role: "model" }, finishReason: "MALFORMED_FUNCTION_CALL", index: 0 }
    chat.first.answer(stream(event({ candidates: [malformed] })))
    chat.second.answer(text("the whole answer"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
  }),
)

it.instance("no other member is asked after Google refuses a prompt", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession(google)
    chat.first.answer(stream(event({ promptFeedback: { blockReason: "PROHIBITED_CONTENT" } })))
    yield* chat.ask("hello")

    const answers = yield* chat.answers
    expect(served(answers)).toEqual([chat.ids.first])
    expect(answers[0].info.error?.name).toBe("ContentFilterError")
    expect(chat.second.asked).toHaveLength(0)
  }),
)

it.instance("a call whose end has an uncommon name runs once, and the model goes on", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const input = { command: "echo ran >> ran", description: "Leave a mark" }
    chat.first.answer(stream(call(0, "call_one", "bash", input), ...finish("eos")), text("done"))
    yield* chat.ask("hello")

    expect(yield* Effect.promise(() => Bun.file(chat.file("ran")).text())).toBe("ran\n")
    expect(served(yield* chat.answers)).toEqual([chat.ids.first, chat.ids.first])
  }),
)
