/** Answers that are not real answers: broken off, an error with status 200, a proxy's page. */
import { expect, setDefaultTimeout } from "bun:test"
import { Effect } from "effect"
import { CombinedCooldown } from "@/combined/health/cooldown"
import { CombinedHealthFile } from "@/combined/host/health-file"
import { call, callText, event, finish, say, stream, text, type Answer } from "./fake-provider"
import { combinedSession, it, served, texts, tools } from "./rig"
import { parsed } from "@/combined/value"

setDefaultTimeout(30_000)

const health = Effect.promise(async () => CombinedCooldown.read(parsed(await Bun.file(CombinedHealthFile.FILE).text())))

const cooldownOf = Effect.fn("test.cooldownOf")(function* (providerID: string) {
  return [...(yield* health)].find(([key]) => key.startsWith(`${providerID}/`))?.[1]
})

const kindOf = (providerID: string) => cooldownOf(providerID).pipe(Effect.map((item) => item?.kind))

const plain = (type: string, body: string): Answer => ({
  status: 200,
  headers: { "content-type": type },
  moves: [{ type: "send", data: body }],
})

for (const reason of ["network_error", "error_finish", "malformed_model_output", "zorp"])
  it.instance(`half a text behind which the provider says "${reason}" is taken back`, () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession()
      chat.first.answer(stream(say("half an ans"), ...finish(reason)))
      chat.second.answer(text("the whole answer"))
      yield* chat.ask("hello")

      expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
    }),
  )

for (const reason of ["OTHER", "UNEXPECTED_TOOL_CALL", "LANGUAGE"])
  it.instance(`so is one after which Gemini says ${reason}`, () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession({ npm: { first: "@ai-sdk/google" } })
      const said = (more: object) =>
        event({ candidates: [{ content: { parts: [{ text: "half" }], role: "model" }, ...more }] })
      chat.first.answer(stream(said({}), said({ finishReason: reason })))
      chat.second.answer(text("the whole answer"))
      yield* chat.ask("hello")

      expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
    }),
  )

it.instance("an answer that the provider censors ends with an error, and no other member is asked", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(stream(say("half an ans"), ...finish("sensitive")))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => item.info.error?.name)).toEqual(["ContentFilterError"])
    expect(chat.second.asked).toHaveLength(0)
  }),
)

for (const reason of ["network_error", "length", "tool_calls"])
  it.instance(
    `a call with incomplete arguments (${reason}) is never run, and no model is told that it was invalid`,
    () =>
      Effect.gen(function* () {
        const chat = yield* combinedSession()
        const input = { command: "echo ran >> ran", description: "Leave a mark" }
        chat.first.answer(
          stream(callText(0, "call_one", "bash", JSON.stringify(input).slice(0, 20)), ...finish(reason)),
        )
        chat.second.answer(stream(call(0, "call_two", "bash", input), ...finish("tool_calls")), text("done"))
        yield* chat.ask("hello")

        const answers = yield* chat.answers
        expect(answers.flatMap((item) => tools(item.parts).map((part) => part.tool))).toEqual(["bash"])
        expect(served(answers)).toEqual([chat.ids.second, chat.ids.second])
        expect(yield* Effect.promise(() => Bun.file(chat.file("ran")).text())).toBe("ran\n")
        expect([chat.first.asked.length, chat.second.asked.length]).toEqual([1, 2])
      }),
  )

for (const [what, answer, kind] of [
  [
    "an error as JSON",
    plain("application/json", JSON.stringify({ error: { message: "Insufficient balance" } })),
    "quota",
  ],
  [
    "a code of a gateway",
    plain("application/json", JSON.stringify({ code: 1308, msg: "Limit reached", success: false })),
    "quota",
  ],
  ["a page of a proxy", plain("text/html", "<html><body>Please log in to the network</body></html>"), undefined],
] as const)
  it.instance(`${what} with status 200 is a failure of its kind`, () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession()
      chat.first.answer(answer)
      chat.second.answer(text("the whole answer"))
      yield* chat.ask("hello")

      expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
      if (kind) expect(yield* kindOf(chat.ids.first)).toBe(kind)
    }),
  )

it.instance("a stream with another content type is a stream", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer({ ...text("the whole answer"), headers: { "content-type": "application/json" } })
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
    expect(chat.second.asked).toHaveLength(0)
  }),
)

it.instance("an error event that Google's SDK ignores is a failure of its kind", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ npm: { first: "@ai-sdk/google" } })
    const half = event({ candidates: [{ content: { parts: [{ text: "half" }], role: "model" } }] })
    chat.first.answer(
      stream(half, event({ error: { code: 503, message: "The model is overloaded", status: "UNAVAILABLE" } })),
    )
    chat.second.answer(text("the whole answer"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
    expect(yield* cooldownOf(chat.ids.first)).toMatchObject({
      kind: "overload",
      message: "503 The model is overloaded",
    })
  }),
)

it.instance("MiniMax' own number for a used-up plan is a quota", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(
      stream(event({ id: "x", choices: null, base_resp: { status_code: 2056, status_msg: "The plan is used up" } })),
    )
    chat.second.answer(text("the whole answer"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
    expect(yield* cooldownOf(chat.ids.first)).toMatchObject({ kind: "quota", message: "The plan is used up" })
  }),
)
