import { expect, setDefaultTimeout } from "bun:test"
import { Effect, Fiber } from "effect"
import { CombinedCooldown } from "@/combined/health/cooldown"
import { CombinedHealthFile } from "@/combined/host/health-file"
import { SessionPrompt } from "@/session/prompt"
import { call, cut, event, finish, hangUp, refuse, say, stream, text, wait } from "./fake-provider"
import { combinedSession, it, open, served, texts, tools, written } from "./rig"
import { CombinedMember } from "@/combined/member"
import { parsed } from "@/combined/value"

setDefaultTimeout(30_000)

/** The default settings, without those of the rig. */
const defaults = { combined: { max_attempts: undefined } }

const overloaded = refuse(503, { error: { message: "Overloaded" } })

it.instance("after a transient failure the member is retried, and nothing of the failure stays", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession(defaults)
    chat.first.answer(stream(say("half an ans"), cut), text("the whole answer"), overloaded, text("and again"))
    yield* chat.ask("hello")
    yield* chat.ask("again")

    const answers = yield* chat.answers
    expect(answers.map((item) => texts(item.parts))).toEqual([["the whole answer"], ["and again"]])
    expect(served(answers)).toEqual([chat.ids.first, chat.ids.first])
    expect(answers.flatMap((item) => open(item.parts))).toEqual([])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([4, 0])
  }),
)

it.instance("after two consecutive failures the next member is asked", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession(defaults)
    chat.first.answer(overloaded, hangUp)
    chat.second.answer(text("answered"))
    yield* chat.ask("hello")

    expect(served(yield* chat.answers)).toEqual([chat.ids.second])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([2, 1])
  }),
)

it.instance("failures of another member do not use up the retry of the next", () =>
  Effect.gen(function* () {
    // A member that is abandoned does not come back before the end of the turn.
    const chat = yield* combinedSession({ combined: { ...defaults.combined, cooldown: { min: 600_000 } } })
    chat.first.answer(refuse(429, { error: { message: "Slow down" } }, { "retry-after": "3600" }))
    chat.second.answer(overloaded, text("answered"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["answered"]])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([1, 2])
  }),
)

/** The preferred member is back by the next turn of the test. */
const short = { combined: { max_attempts: undefined, stickiness: 0, cooldown: { max: 300 } } }

it.instance("a member that failed the last time is not retried when it fails again", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession(short)
    chat.first.answer(overloaded, overloaded, overloaded)
    chat.second.answer(text("one"), text("two"))
    yield* chat.ask("hello")
    yield* Effect.sleep("400 millis")
    yield* chat.ask("again")

    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([3, 2])
  }),
)

it.instance("a member that has answered since is retried again", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession(short)
    chat.first.answer(overloaded, overloaded, text("well again"), overloaded, text("three"))
    chat.second.answer(text("one"))
    yield* chat.ask("hello")
    yield* Effect.sleep("400 millis")
    yield* chat.ask("again")
    yield* chat.ask("and again")

    expect((yield* chat.answers).flatMap((item) => texts(item.parts))).toEqual(["one", "well again", "three"])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([5, 1])
  }),
)

for (const [what, answer] of [
  ["a rate limit", refuse(429, { error: { message: "Slow down" } })],
  ["an overload that names a time", refuse(503, { error: { message: "Overloaded" } }, { "retry-after": "30" })],
  ["a key that was revoked", refuse(401, { error: { message: "Revoked" } })],
  ["a model that was retired", refuse(400, { error: { message: "The model `glm` has been decommissioned" } })],
] as const) {
  it.instance(`${what} is no reason to retry`, () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession(defaults)
      chat.first.answer(answer)
      chat.second.answer(text("answered"))
      yield* chat.ask("hello")

      expect([chat.first.asked.length, chat.second.asked.length]).toEqual([1, 1])
    }),
  )
}

it.instance("a member that asks for an immediate retry is not asked again and again", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession(defaults)
    const atOnce = refuse(429, { error: { message: "Slow down" } }, { "retry-after": "0" })
    chat.first.answer(...Array.from({ length: 20 }, () => atOnce))
    chat.second.answer(text("answered"))
    yield* chat.ask("hello")

    expect(served(yield* chat.answers)).toEqual([chat.ids.second])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([1, 1])
  }),
)

it.instance("a short failure in several sessions is one failure", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const others = yield* Effect.all([chat.fork, chat.fork])
    const together = { ...overloaded, moves: [wait(() => chat.first.times(3)), ...overloaded.moves] }
    chat.first.answer(together, together, together)
    chat.second.answer(text("one"), text("two"), text("three"))
    yield* Effect.all([chat.ask("hello"), ...others.map((other) => other.ask("hello"))], { concurrency: "unbounded" })

    const state = CombinedCooldown.read(parsed(yield* Effect.promise(() => Bun.file(CombinedHealthFile.FILE).text())))
    expect(state.get(CombinedMember.key({ providerID: chat.ids.first, modelID: "glm-4.6" }))?.failures).toBe(1)
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([3, 3])
  }),
)

it.instance("once a tool has run the next member continues, even if the failure is transient", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession(defaults)
    const input = { command: "echo ran >> ran", description: "Leave a mark" }
    chat.first.answer(
      stream(
        call(0, "call_one", "bash", input),
        wait(() => written(chat.file("ran"))),
        cut,
      ),
    )
    chat.second.answer(text("done"))
    yield* chat.ask("hello")

    expect(yield* Effect.promise(() => Bun.file(chat.file("ran")).text())).toBe("ran\n")
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([1, 1])
  }),
)

it.instance("an answer that cannot be read is a failure of the member", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(stream(say("half"), { type: "send", data: 'data: {"id": "chat-1", "choices": [{"ind\n\n' }, cut))
    chat.second.answer(text("the whole answer"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
  }),
)

it.instance("after an empty answer the next member is asked", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(stream(...finish("stop", { input: 10, output: 0 })))
    chat.second.answer(text("the whole answer"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
  }),
)

const nothing = stream(...finish("stop", { input: 10, output: 2 }))

it.instance(
  "after an empty answer after a tool the member is asked again; the last remaining one is believed the second time",
  () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession()
      chat.first.answer(
        stream(call(0, "call_one", "bash", { command: "true", description: "Do nothing" }), ...finish("tool_calls")),
        nothing,
        nothing,
      )
      chat.second.answer(refuse(402, { error: { message: "No credit" } }))
      yield* chat.ask("hello")

      expect([chat.first.asked.length, chat.second.asked.length]).toEqual([3, 1])
      const answers = yield* chat.answers
      expect(answers.map((item) => item.info.error)).toEqual([undefined, undefined])
      expect(served(answers)).toEqual([chat.ids.first, chat.ids.first])
    }),
)

it.instance("a tool call after an unreadable event never starts", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const input = { command: "echo ran >> ran", description: "Leave a mark" }
    const whole = [call(0, "call_one", "bash", input), ...finish("tool_calls")]
    chat.first.answer(stream({ type: "send", data: 'data: {"broken": \n\n' }, ...whole))
    chat.second.answer(stream(...whole), text("done"))
    yield* chat.ask("hello")
    // A tool that starts too late would have been seen by now.
    yield* Effect.sleep(300)

    expect(yield* Effect.promise(() => Bun.file(chat.file("ran")).text())).toBe("ran\n")
    const answers = yield* chat.answers
    expect(served(answers)).toEqual([chat.ids.second, chat.ids.second])
  }),
)

it.instance("a member that refuses another one's thinking is asked once more, then one other member is", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const refused = refuse(400, { error: { message: "messages.1.content.0: Invalid `signature` in `thinking` block" } })
    chat.first.answer(refused, text("answered"), refused, refused)
    yield* chat.ask("hello")
    yield* chat.ask("again")

    const answers = yield* chat.answers
    expect(answers.map((item) => texts(item.parts))).toEqual([["answered"], []])
    expect(answers.map((item) => item.info.error !== undefined)).toEqual([false, true])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([4, 1])
  }),
)

const quick = { first_token_timeout: 1000, stall_timeout: 1000 }

/** Comments keep a connection open and say nothing about the model. */
const alive = (seconds: number) =>
  Array.from({ length: seconds * 10 }).flatMap(() => [
    { type: "send" as const, data: ": alive\n\n" },
    wait(() => Bun.sleep(100)),
  ])

it.instance("a member that only keeps the connection open is replaced by one that answers", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: quick })
    chat.first.answer(stream(...alive(20), say("too late"), ...finish("stop")))
    chat.second.answer(text("in time"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["in time"]])
    expect(chat.first.asked).toHaveLength(1)
  }),
)

it.instance("an answer that stops in the middle is discarded", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: quick })
    chat.first.answer(stream(say("half an ans"), ...alive(20), say("wer"), ...finish("stop")))
    chat.second.answer(text("the whole answer"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["the whole answer"]])
  }),
)

it.instance("the last remaining member may be as slow as it likes", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: quick })
    chat.first.answer(refuse(429, { error: { message: "Slow down" } }, { "retry-after": "3600" }))
    chat.second.answer(stream(...alive(2), say("slow and sure"), ...finish("stop")))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["slow and sure"]])
  }),
)

it.instance("a slow tool does not count as silence of the member", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { stall_timeout: 1500 } })
    const input = { command: "sleep 2; echo ran >> ran", description: "Take long" }
    chat.first.answer(stream(call(0, "call_one", "bash", input), ...finish("tool_calls")), text("done"))
    yield* chat.ask("hello")

    expect(yield* Effect.promise(() => Bun.file(chat.file("ran")).text())).toBe("ran\n")
    expect(chat.second.asked).toHaveLength(0)
  }),
)

it.instance("a strategy names the failures that switch; others end the turn, with no tool run twice", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { strategy: "on_rate_limit" } })
    chat.first.answer(
      stream(
        call(0, "call_one", "bash", { command: "echo ran >> ran", description: "Leave a mark" }),
        wait(() => written(chat.file("ran"))),
        event({ error: { message: "Overloaded", type: "overloaded_error" } }),
      ),
      refuse(503, { error: { message: "Overloaded" } }),
      refuse(429, { error: { message: "Slow down" } }),
    )
    chat.second.answer(text("answered"))
    yield* chat.ask("hello")
    // The finished tool is not in the message with the error, because upstream drops the tools of such a message from
    // the history.
    const ended = yield* chat.answers
    expect(ended.map((item) => [tools(item.parts).length, item.info.error !== undefined])).toEqual([
      [1, false],
      [0, true],
    ])
    expect(JSON.stringify(ended.at(-1)?.info.error)).toContain("Overloaded")
    expect(chat.second.asked).toHaveLength(0)
    yield* chat.ask("again")
    expect(chat.second.asked[0].messages.filter((item) => item.tool_call_id === "call_one")).toHaveLength(1)

    expect(served(yield* chat.answers).at(-1)).toBe(chat.ids.second)
    expect(yield* Effect.promise(() => Bun.file(chat.file("ran")).text())).toBe("ran\n")
  }),
)

it.instance("if a strategy does not include it, an answer without a finish reason is believed", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { strategy: "on_rate_limit" } })
    chat.first.answer(stream(say("all there is")))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["all there is"]])
    expect(chat.second.asked).toHaveLength(0)
  }),
)

it.instance("a slow answer is not cut off if a silence does not switch", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { strategy: "on_overload", first_token_timeout: 1000 } })
    chat.first.answer(
      stream(
        wait(() => Bun.sleep(1500)),
        say("slow"),
        ...finish("stop"),
      ),
    )
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["slow"]])
    expect(chat.first.asked).toHaveLength(1)
  }),
)

it.instance("a silent member is not retried", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { max_attempts: 2, first_token_timeout: 1000 } })
    chat.first.answer(stream(wait(() => new Promise(() => {}))))
    chat.second.answer(text("answered"))
    yield* chat.ask("hello")

    expect(served(yield* chat.answers)).toEqual([chat.ids.second])
    expect(chat.first.asked).toHaveLength(1)
  }),
)

it.instance("if all members are slow the last one is not cut off, even if the first one's cooldown is over", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { first_token_timeout: 1000, cooldown: { max: 100 } } })
    const slow = () =>
      stream(
        wait(() => Bun.sleep(1500)),
        say("slow"),
        ...finish("stop"),
      )
    chat.first.answer(slow())
    chat.second.answer(slow())
    yield* chat.ask("hello")

    expect(served(yield* chat.answers)).toEqual([chat.ids.second])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([1, 1])
  }),
)

it.instance("a member whose cooldown is over at once is not asked again before the others", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { cooldown: { max: 1 } } })
    chat.first.answer(...Array.from({ length: 9 }, () => refuse(429, { error: { message: "Slow down" } })))
    chat.second.answer(text("answered"))
    yield* chat.ask("hello")

    expect(served(yield* chat.answers)).toEqual([chat.ids.second])
    expect(chat.first.asked).toHaveLength(1)
  }),
)

it.instance("members that never answer end the turn, even if their cooldowns end at once", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { cooldown: { max: 1 } } })
    const busy = () => Array.from({ length: 20 }, () => refuse(429, { error: { message: "Slow down" } }))
    chat.first.answer(...busy())
    chat.second.answer(...busy())
    yield* chat.ask("hello")

    const [answer] = yield* chat.answers
    const said = JSON.stringify(answer.info.error)
    expect(said).toContain(`${chat.ids.first}/glm-4.6: 429 Slow down`)
    expect(said).toContain(`${chat.ids.second}/glm-4.6: 429 Slow down`)
    expect(Math.max(chat.first.asked.length, chat.second.asked.length)).toBeLessThanOrEqual(3)
  }),
)

it.instance("a turn that starts while all are unavailable waits for the first to return", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const other = yield* chat.fork
    chat.first.answer(
      refuse(429, { error: { message: "Slow down" } }, { "retry-after-ms": "3000" }),
      text("1"),
      text("2"),
    )
    chat.second.answer(refuse(401, { error: { message: "Invalid API key" } }))
    const before = yield* chat.ask("hello").pipe(Effect.forkChild)
    yield* Effect.promise(() => chat.second.times(1))
    const turn = yield* other.ask("hello").pipe(Effect.forkChild)
    yield* Effect.sleep(1000)
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([1, 1])
    yield* Fiber.join(before)
    yield* Fiber.join(turn)

    expect(served(yield* other.answers)).toEqual([chat.ids.first])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([3, 1])
  }),
)

it.instance("a tool that finished before all became unavailable stays in the history", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(
      refuse(429, { error: { message: "Slow down" } }, { "retry-after-ms": "1000" }),
      text("hello"),
      stream(
        call(0, "call_one", "bash", { command: "echo ran >> ran", description: "Leave a mark" }),
        wait(() => written(chat.file("ran"))),
        event({ error: { message: "You exceeded your current quota", code: "insufficient_quota" } }),
      ),
      text("done"),
    )
    const revoked = refuse(401, { error: { message: "Invalid API key" } })
    chat.second.answer(revoked, revoked)
    yield* chat.ask("hello")
    yield* chat.ask("leave a mark")
    expect((yield* chat.answers).at(-1)?.info.error).toBeDefined()
    yield* chat.ask("continue")

    expect(texts((yield* chat.answers).at(-1)?.parts ?? [])).toEqual(["done"])
    expect((chat.first.asked.at(-1)?.messages ?? []).filter((item) => item.tool_call_id === "call_one")).toHaveLength(1)
    expect(yield* Effect.promise(() => Bun.file(chat.file("ran")).text())).toBe("ran\n")
  }),
)

it.instance("a last resort serves only while the others are unavailable", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { last_resort: ["preferred*"] } })
    chat.second.answer(text("one"), refuse(429, { error: { message: "Slow down" } }, { "retry-after": "3600" }))
    chat.first.answer(text("two"))
    yield* chat.ask("hello")
    yield* chat.ask("again")

    expect(served(yield* chat.answers)).toEqual([chat.ids.second, chat.ids.first])
  }),
)

it.instance("a session stays where its prompt cache is warm", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(refuse(429, { error: { message: "Slow down" } }, { "retry-after-ms": "1500" }))
    chat.second.answer(text("one"), text("two"))
    yield* chat.ask("hello")
    yield* Effect.sleep("1600 millis")
    yield* chat.ask("again")

    expect(served(yield* chat.answers)).toEqual([chat.ids.second, chat.ids.second])
  }),
)

it.instance("a member with a short failure still has its cache, and the session goes back to it", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(
      text("one"),
      refuse(429, { error: { message: "Slow down" } }, { "retry-after-ms": "1500" }),
      text("three"),
    )
    chat.second.answer(text("two"))
    yield* chat.ask("hello")
    yield* chat.ask("again")
    yield* Effect.sleep("1600 millis")
    yield* chat.ask("and again")

    expect(served(yield* chat.answers)).toEqual([chat.ids.first, chat.ids.second, chat.ids.first])
  }),
)

it.instance("without stickiness the preferred member is asked as soon as it is back", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { stickiness: 0 } })
    chat.first.answer(refuse(429, { error: { message: "Slow down" } }, { "retry-after-ms": "1500" }), text("two"))
    chat.second.answer(text("one"))
    yield* chat.ask("hello")
    yield* Effect.sleep("1600 millis")
    yield* chat.ask("again")

    expect(served(yield* chat.answers)).toEqual([chat.ids.second, chat.ids.first])
  }),
)

it.instance("while one request tests whether a member is back, others use the next", () =>
  Effect.gen(function* () {
    const one = yield* combinedSession({ combined: { stickiness: 0 } })
    const other = yield* one.fork
    one.first.answer(
      refuse(429, { error: { message: "Slow down" } }, { "retry-after-ms": "1500" }),
      stream(
        wait(() => one.second.times(2)),
        say("back"),
        ...finish("stop"),
      ),
      text("well again"),
    )
    one.second.answer(text("fallback"), text("meanwhile"))
    yield* one.ask("hello")
    yield* Effect.sleep("1600 millis")
    const probe = yield* one.ask("again").pipe(Effect.forkChild)
    yield* Effect.promise(() => one.first.times(2))
    yield* other.ask("hello")
    yield* Fiber.join(probe)
    yield* other.ask("again")

    expect(served(yield* one.answers)).toEqual([one.ids.second, one.ids.first])
    expect(served(yield* other.answers)).toEqual([one.ids.second, one.ids.first])
  }),
)

it.instance("after a cancelled test the next request tests", () =>
  Effect.gen(function* () {
    const one = yield* combinedSession({ combined: { stickiness: 0 } })
    const other = yield* one.fork
    const prompt = yield* SessionPrompt.Service
    one.first.answer(
      refuse(429, { error: { message: "Slow down" } }, { "retry-after-ms": "1500" }),
      stream(
        say("wait"),
        wait(() => new Promise(() => {})),
      ),
      text("well again"),
    )
    one.second.answer(text("fallback"))
    yield* one.ask("hello")
    yield* Effect.sleep("1600 millis")
    const probe = yield* one.ask("again").pipe(Effect.forkChild)
    yield* Effect.promise(() => one.first.times(2))
    yield* prompt.cancel(one.id)
    yield* Fiber.await(probe)
    yield* other.ask("hello")

    expect(served(yield* other.answers)).toEqual([one.ids.first])
  }),
)

it.instance("a conversation that one member refuses as too long goes to one with more room", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ models: { first: { limit: { context: 60_000, output: 10_000 } } } })
    chat.first.answer(
      refuse(400, {
        error: { message: "This model's maximum context length is 60000 tokens", code: "context_length_exceeded" },
      }),
    )
    chat.second.answer(text("there is room"))
    yield* chat.ask("hello")

    const answers = yield* chat.answers
    expect(answers.map((item) => texts(item.parts))).toEqual([["there is room"]])
    expect(served(answers)).toEqual([chat.ids.second])
    expect(answers.some((item) => item.info.summary)).toBe(false)
  }),
)
