import { expect, setDefaultTimeout } from "bun:test"
import { rmSync } from "fs"
import { Effect, Fiber } from "effect"
import { CombinedHealthFile } from "@/combined/host/health-file"
import { EventV2Bridge } from "@/event-v2-bridge"
import { MessageV2 } from "@/session/message-v2"
import { SessionStatus } from "@/session/status"
import { call, cut, event, finish, gate, hangUp, refuse, say, stream, text, think } from "./fake-provider"
import { COST, combinedSession, it, open, served, texts } from "./rig"

setDefaultTimeout(30_000)

it.instance("the first provider of the priority answers as long as it is healthy", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(text("one"), text("two"))
    yield* chat.ask("hello")
    yield* chat.ask("again")

    const answers = yield* chat.answers
    expect(answers.flatMap((item) => texts(item.parts))).toEqual(["one", "two"])
    expect(served(answers)).toEqual([chat.ids.first, chat.ids.first])
    expect(chat.second.asked).toHaveLength(0)
  }),
)

it.instance("after a rate limit the next provider serves, and is stored and priced", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(refuse(429, { error: { message: "Rate limit reached" } }))
    chat.second.answer(text("hello from the second", { input: 1000, output: 100 }))
    const result = yield* chat.ask("hello")

    const answers = yield* chat.answers
    expect(answers).toHaveLength(1)
    expect(answers[0].info.id).toBe(result.info.id)
    expect(served(answers)).toEqual([chat.ids.second])
    expect(answers[0].info.error).toBeUndefined()
    expect(answers[0].info.cost).toBeCloseTo((1000 * COST.second.input + 100 * COST.second.output) / 1_000_000)
    expect(texts(answers[0].parts)).toEqual(["hello from the second"])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([1, 1])
  }),
)

it.instance("the user's message keeps the combined model", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(refuse(503, { error: { message: "Service unavailable" } }))
    chat.second.answer(text("hello"))
    yield* chat.ask("hello")

    const [asked] = yield* chat.history
    expect(asked.info.role === "user" ? asked.info.model : undefined).toEqual(chat.model)
  }),
)

it.instance("a provider that is cooling down is skipped in the next turn", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(refuse(429, { error: { message: "Rate limit reached" } }, { "retry-after": "3600" }))
    chat.second.answer(text("one"), text("two"))
    yield* chat.ask("hello")
    yield* chat.ask("again")

    expect(chat.first.asked).toHaveLength(1)
    expect(chat.second.asked).toHaveLength(2)
  }),
)

for (const [status, body] of [
  [401, { error: { message: "Invalid API key" } }],
  [402, {}],
  [403, { error: { message: "Forbidden" } }],
  [404, { error: { message: "The model does not exist" } }],
  [410, { error: { message: "The model was retired" } }],
  [500, { error: { message: "Internal error" } }],
  [529, { type: "error", error: { type: "overloaded_error", message: "Overloaded" } }],
] as const) {
  it.instance(`after status ${status} the turn switches`, () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession()
      chat.first.answer(refuse(status, body))
      chat.second.answer(text("answered"))
      yield* chat.ask("hello")

      expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["answered"]])
    }),
  )
}

it.instance("after a refused connection the turn switches", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    yield* Effect.promise(() => chat.first.close())
    chat.second.answer(text("answered"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["answered"]])
  }),
)

it.instance("after a connection that breaks before the answer's head the turn switches", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(hangUp)
    chat.second.answer(text("answered"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["answered"]])
  }),
)

it.instance("a connection that breaks after some text leaves none of it behind", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const events = yield* EventV2Bridge.Service
    const removed: string[] = []
    const off = yield* events.listen((item) => {
      if (item.type === MessageV2.Event.Removed.type) removed.push(JSON.stringify(item.data))
      return Effect.void
    })
    const door = gate()
    chat.first.answer(stream(think("let me see"), say("half an ans"), door.wait, cut))
    chat.second.answer(text("the whole answer"))
    const turn = yield* chat.ask("hello").pipe(Effect.forkChild)
    yield* chat.holds((part) => part.type === "text")
    yield* door.open
    yield* Fiber.join(turn)
    yield* off

    const answers = yield* chat.answers
    expect(answers).toHaveLength(1)
    expect(texts(answers[0].parts)).toEqual(["the whole answer"])
    expect(answers[0].parts.some((part) => part.type === "reasoning")).toBe(false)
    expect(open(answers[0].parts)).toEqual([])
    // The screen relies on this event.
    expect(removed).toHaveLength(1)
    expect(JSON.stringify(chat.second.asked[0].messages)).not.toContain("half an ans")
  }),
)

it.instance("after an error event in the middle of an answer the turn switches", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(stream(say("half"), event({ error: { message: "Overloaded", type: "overloaded_error" } })))
    chat.second.answer(text("the whole answer"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
  }),
)

it.instance("an answer that ends without a finish reason is not treated as complete", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(stream(say("half an ans")))
    chat.second.answer(text("the whole answer"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
  }),
)

it.instance(
  "the last remaining provider is believed when its answer ends without a finish reason for the second time",
  () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession()
      chat.first.answer(refuse(429, { error: { message: "Rate limit reached" } }, { "retry-after": "3600" }))
      chat.second.answer(stream(say("all th")), stream(say("all there is")))
      yield* chat.ask("hello")

      const [answer] = yield* chat.answers
      expect(texts(answer.parts)).toEqual(["all there is"])
      expect(answer.info.error).toBeUndefined()
      // Otherwise newer releases of OpenCode would ask for more forever.
      expect(answer.info.finish).toBe("stop")
    }),
)

it.instance("an answer that was cut off by the length limit is complete", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(stream(say("as long as it may be"), ...finish("length")))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["as long as it may be"]])
    expect(chat.second.asked).toHaveLength(0)
  }),
)

it.instance("a refusal of the content is not hidden by another provider", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(stream(say("I can"), ...finish("content_filter")))
    yield* chat.ask("hello")

    expect((yield* chat.answers)[0].info.error?.name).toBe("ContentFilterError")
    expect(chat.second.asked).toHaveLength(0)
  }),
)

it.instance("an invalid request is not sent to another provider", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(
      refuse(400, { error: { type: "invalid_request_error", message: "Invalid schema for function 'bash'" } }),
    )
    yield* chat.ask("hello")

    expect(JSON.stringify((yield* chat.answers)[0].info.error)).toContain("Invalid schema for function")
    expect(chat.second.asked).toHaveLength(0)
  }),
)

it.instance("a failover does not use up a step of an agent with few steps", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ config: { agent: { build: { steps: 2 } } } })
    chat.first.answer(refuse(429, { error: { message: "Rate limit reached" } }))
    chat.second.answer(text("answered"))
    yield* chat.ask("hello")

    // On its last step, a message of the assistant tells the agent to stop.
    expect(chat.second.asked[0].messages.at(-1)?.role).toBe("user")
  }),
)

it.instance("when all are unavailable, the error names each with its own reason, the first failure first", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(refuse(429, { error: { message: "Tokens per minute exceeded" } }, { "retry-after": "3600" }))
    chat.second.answer(refuse(401, { error: { message: "This key was revoked" } }))
    yield* chat.ask("hello")

    const [answer] = yield* chat.answers
    const message = JSON.stringify(answer.info.error)
    const [one, two] = [message.indexOf("Tokens per minute exceeded"), message.indexOf("This key was revoked")]
    expect(one).toBeGreaterThan(message.indexOf(chat.ids.first))
    expect(two).toBeGreaterThan(one)
    expect(message.lastIndexOf(chat.ids.second, two)).toBeGreaterThan(one)
    expect((yield* SessionStatus.Service.use((status) => status.get(chat.id))).type).toBe("idle")
  }),
)

it.instance("a provider that was unavailable before this turn is named too when all are unavailable", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(refuse(402, { error: { message: "The month's credits are spent" } }))
    chat.second.answer(text("one"), refuse(429, { error: { message: "Slow down" } }, { "retry-after": "3600" }))
    yield* chat.ask("hello")
    yield* chat.ask("again")

    const message = JSON.stringify((yield* chat.answers).at(-1)?.info.error)
    expect(message).toContain("Slow down")
    expect(message).toContain("The month's credits are spent")
  }),
)

it.instance("when all are unavailable for a moment, the turn waits for the first to return", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(refuse(429, { error: { message: "Slow down" } }, { "retry-after": "3600" }))
    chat.second.answer(
      refuse(429, { error: { message: "Slow down" } }, { "retry-after-ms": "50" }),
      text("there I am again"),
    )
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["there I am again"]])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([1, 2])
  }),
)

it.instance("a turn that waits continues when its cooldown is ended by hand", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(refuse(429, { error: { message: "Slow down" } }, { "retry-after": "3600" }), text("at once"))
    // Longer than this test may take.
    chat.second.answer(refuse(429, { error: { message: "Slow down" } }, { "retry-after": "50" }))
    const turn = yield* chat.ask("hello").pipe(Effect.forkChild)
    const waits = SessionStatus.Service.use((status) => status.get(chat.id)).pipe(
      Effect.map((status) => status.type === "retry" && status.next > Date.now() + 10_000),
    )
    while (!(yield* waits)) yield* Effect.sleep(20)
    rmSync(CombinedHealthFile.FILE)
    yield* Fiber.await(turn)

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["at once"]])
  }),
)

/** A step with a tool. It is an answer like any other. */
const step = (id: string) =>
  stream(call(0, id, "bash", { command: "true", description: "Do nothing" }), ...finish("tool_calls"))

it.instance("failures before the last answer are not named when all are unavailable", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(
      refuse(429, { error: { message: "Early trouble" } }, { "retry-after-ms": "1" }),
      refuse(401, { error: { message: "This key was revoked" } }),
    )
    chat.second.answer(step("call_one"), refuse(429, { error: { message: "Slow down" } }, { "retry-after": "3600" }))
    yield* chat.ask("hello")

    const message = JSON.stringify((yield* chat.answers).at(-1)?.info.error)
    expect(message).not.toContain("Early trouble")
    expect(message).toContain("This key was revoked")
    expect(message.indexOf("Slow down")).toBeLessThan(message.indexOf("This key was revoked"))
  }),
)

it.instance("a turn waits as often as there is somebody to ask again", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { cooldown: { max: 300 } } })
    const refusal = refuse(429, { error: { message: "Not yet" } })
    chat.first.answer(refusal, refusal, refusal)
    chat.second.answer(refusal, refusal, text("at last"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["at last"]])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([3, 3])
  }),
)
