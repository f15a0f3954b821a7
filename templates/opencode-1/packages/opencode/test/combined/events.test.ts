/** Errors in an event inside an answer that began with status 200. */
import { expect, setDefaultTimeout } from "bun:test"
import { Effect } from "effect"
import { CombinedCooldown } from "@/combined/health/cooldown"
import { CombinedHealthFile } from "@/combined/host/health-file"
import { event, refuse, say, stream, text } from "./fake-provider"
import { combinedSession, it, served, texts } from "./rig"
import { CombinedMember } from "@/combined/member"
import { parsed } from "@/combined/value"

setDefaultTimeout(30_000)

for (const message of ["Internal server error", "Provider returned error"]) {
  it.instance(`"${message}" is a failure of the member`, () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession()
      chat.first.answer(stream(say("half an ans"), event({ error: { message } })))
      chat.second.answer(text("the whole answer"))
      yield* chat.ask("hello")

      expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
    }),
  )
}

it.instance("a response that failed in the middle has its class and its time", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ npm: { first: "@ai-sdk/openai" } })
    const error = { code: "rate_limit_exceeded", message: "Rate limit reached. Please try again in 6m0s." }
    chat.first.answer(
      stream(
        event({ type: "response.created", response: { id: "r1", created_at: 1, model: "m" }, sequence_number: 0 }),
        event({ type: "response.output_item.added", output_index: 0, item: { type: "message", id: "m1" } }),
        event({ type: "response.output_text.delta", item_id: "m1", output_index: 0, content_index: 0, delta: "half" }),
        event({
          type: "response.failed",
          sequence_number: 3,
          response: { id: "r1", error, incomplete_details: null, usage: null },
        }),
      ),
    )
    chat.second.answer(text("the whole answer"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
    const state = CombinedCooldown.read(parsed(yield* Effect.promise(() => Bun.file(CombinedHealthFile.FILE).text())))
    const { kind, since, until } = state.get(CombinedMember.key({ providerID: chat.ids.first, modelID: "glm-4.6" }))!
    expect([kind, until - since]).toEqual(["rate_limit", 360_000])
  }),
)

it.instance("an event that blames the request ends the turn", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(stream(event({ error: { message: "Invalid schema for function 'bash'", code: 400 } })))
    yield* chat.ask("hello")

    const answers = yield* chat.answers
    expect(answers.map((item) => item.info.error !== undefined)).toEqual([true])
    expect(chat.second.asked).toHaveLength(0)
  }),
)

const tooLong = stream(
  event({ error: { message: "This model's maximum context length is 200000 tokens.", code: 400 } }),
)

it.instance("a conversation that is too long goes to a member with more room", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ models: { second: { limit: { context: 1_000_000, output: 10_000 } } } })
    chat.first.answer(tooLong)
    chat.second.answer(text("there is room"))
    yield* chat.ask("hello")

    const answers = yield* chat.answers
    expect(answers.map((item) => texts(item.parts))).toEqual([["there is room"]])
    expect(served(answers)).toEqual([chat.ids.second])
  }),
)

it.instance("a conversation that is too long for one member goes to another with as much room", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(text("one"), tooLong)
    chat.second.answer(text("there is room"))
    yield* chat.ask("hello")
    yield* chat.ask("again")

    const answers = yield* chat.answers
    expect(answers.map((item) => texts(item.parts))).toEqual([["one"], ["there is room"]])
    expect(answers.some((item) => item.info.summary)).toBe(false)
  }),
)

it.instance("if it is too long for all, the conversation is compacted", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(text("one"), tooLong, text("the summary"), text("two"))
    chat.second.answer(tooLong)
    yield* chat.ask("hello")
    yield* chat.ask("again")

    const answers = yield* chat.answers
    expect(answers.filter((item) => item.info.summary).map((item) => texts(item.parts))).toEqual([["the summary"]])
    expect(texts(answers.at(-1)?.parts ?? [])).toEqual(["two"])
    expect(chat.second.asked).toHaveLength(1)
  }),
)

it.instance("if that does not help, the turn ends with a clear error, and is not compacted again", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(text("one"), tooLong, text("the summary"), tooLong)
    chat.second.answer(tooLong, tooLong)
    yield* chat.ask("hello")
    yield* chat.ask("again")

    const answers = yield* chat.answers
    expect(answers.filter((item) => item.info.summary)).toHaveLength(1)
    expect(JSON.stringify(answers.at(-1)?.info.error)).toContain("although it was compacted")
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([4, 2])
  }),
)

const strange = refuse(418, { error: { message: "I am a teapot" } })

it.instance("after an unknown refusal one more member is asked", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(strange)
    chat.second.answer(text("answered"))
    yield* chat.ask("hello")

    expect(served(yield* chat.answers)).toEqual([chat.ids.second])
    const state = CombinedCooldown.read(parsed(yield* Effect.promise(() => Bun.file(CombinedHealthFile.FILE).text())))
    expect(state.get(CombinedMember.key({ providerID: chat.ids.first, modelID: "glm-4.6" }))?.kind).toBe("unknown")
  }),
)

it.instance("if that one refuses too, the first error is shown and no member is avoided", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(strange, text("answered"))
    chat.second.answer(refuse(422, { error: { message: "Nor do I brew coffee" } }))
    yield* chat.ask("hello")
    const [failed] = yield* chat.answers
    expect(JSON.stringify(failed.info.error)).toContain("I am a teapot")

    yield* chat.ask("again")
    expect(served(yield* chat.answers).at(-1)).toBe(chat.ids.first)
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([2, 1])
  }),
)

const perMinute = refuse(413, {
  error: {
    message: "Request too large for model `x` on tokens per minute (TPM): Limit 8000, Requested 12345",
    type: "tokens",
    code: "rate_limit_exceeded",
  },
})

it.instance("a request above a member's limit per minute goes to the next one", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(perMinute)
    chat.second.answer(text("granted"))
    yield* chat.ask("hello")

    const answers = yield* chat.answers
    expect(answers.map((item) => texts(item.parts))).toEqual([["granted"]])
    expect(answers.some((item) => item.info.summary)).toBe(false)
  }),
)

it.instance("a request above the last member's limit per minute is too long", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(text("one"), refuse(402, {}))
    chat.second.answer(perMinute, text("the summary"), text("two"))
    yield* chat.ask("hello")
    yield* chat.ask("again")

    const answers = yield* chat.answers
    expect(answers.filter((item) => item.info.summary).map((item) => texts(item.parts))).toEqual([["the summary"]])
    expect(texts(answers.at(-1)?.parts ?? [])).toEqual(["two"])
  }),
)
