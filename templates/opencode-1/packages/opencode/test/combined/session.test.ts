import { expect, setDefaultTimeout } from "bun:test"
import { ProviderV2 } from "@opencode-ai/core/provider"
import { Effect, Fiber } from "effect"
import { Provider } from "@/provider/provider"
import { SessionCompaction } from "@/session/compaction"
import { SessionPrompt } from "@/session/prompt"
import { Session } from "@/session/session"
import { SessionStatus } from "@/session/status"
import { pollWithTimeout } from "../lib/effect"
import { call, cut, finish, gate, refuse, say, stream, text, wait } from "./fake-provider"
import { answers, combinedSession, it, open, served, texts, tools } from "./rig"

setDefaultTimeout(30_000)

const never = () => new Promise(() => {})
const limited = (seconds: number) =>
  refuse(429, { error: { message: "Rate limit reached" } }, { "retry-after": String(seconds) })

/** The same model as its provider offers it, not combined. */
const plain = Effect.fn("test.plain")(function* (providerID: string) {
  const providers = yield* Provider.Service
  const { id, models } = yield* providers.getProvider(ProviderV2.ID.make(providerID))
  return { providerID: id, modelID: Object.values(models)[0].id }
})

// Cancel

it.instance("the user's cancel is not a failure: no other member is asked, and the provider stays preferred", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const prompt = yield* SessionPrompt.Service
    chat.first.answer(stream(say("half an ans"), wait(never)), text("here I am"))
    const turn = yield* chat.ask("hello").pipe(Effect.forkChild)
    yield* chat.holds((part) => part.type === "text")
    yield* prompt.cancel(chat.id)
    yield* Fiber.await(turn)

    const [answer] = yield* chat.answers
    expect(answer.info.error?.name).toBe("MessageAbortedError")
    expect(open(answer.parts)).toEqual([])
    expect(chat.second.asked).toHaveLength(0)

    yield* chat.ask("again")
    expect(served(yield* chat.answers).at(-1)).toBe(chat.ids.first)
  }),
)

it.instance("the wait for a provider to return says until when, and can be cancelled", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const prompt = yield* SessionPrompt.Service
    const status = yield* SessionStatus.Service
    chat.first.answer(limited(3600))
    chat.second.answer(limited(50))
    const began = Date.now()
    const turn = yield* chat.ask("hello").pipe(Effect.forkChild)
    // Before it waits, it says that the second member goes on.
    const waiting = yield* pollWithTimeout(
      status
        .get(chat.id)
        .pipe(
          Effect.map((item) => (item.type === "retry" && item.message.startsWith("Waiting for ") ? item : undefined)),
        ),
      "the session never said that it waits",
      "20 seconds",
    )
    expect(waiting.message).toContain(chat.ids.second)
    expect(waiting.next).toBeGreaterThanOrEqual(began + 50_000)
    yield* prompt.cancel(chat.id)
    yield* Fiber.await(turn)

    expect((yield* status.get(chat.id)).type).toBe("idle")
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([1, 1])
  }),
)

// Context overflow and compaction

for (const [status, message] of [
  [400, "prompt is too long: 213462 tokens > 200000 maximum"],
  [500, "the request exceeds the available context size, try increasing it"],
] as const) {
  it.instance(`a conversation that is too long for every provider (${status}) is compacted, without any cooldown`, () =>
    Effect.gen(function* () {
      const chat = yield* combinedSession()
      const tooLong = refuse(status, { error: { message } })
      chat.first.answer(text("one"), tooLong, text("the summary"), text("two"))
      chat.second.answer(tooLong)
      yield* chat.ask("hello")
      yield* chat.ask("again")

      const list = yield* chat.answers
      expect(list.filter((item) => item.info.summary).map((item) => texts(item.parts))).toEqual([["the summary"]])
      expect(texts(list.at(-1)?.parts ?? [])).toEqual(["two"])
      expect([chat.first.asked.length, chat.second.asked.length]).toEqual([4, 1])
    }),
  )
}

it.instance("a summary that fails is made by the next provider, and none of the failed one stays", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const prompt = yield* SessionPrompt.Service
    const compaction = yield* SessionCompaction.Service
    const door = gate()
    chat.first.answer(text("one"), stream(say("half a sum"), door.wait, cut))
    chat.second.answer(text("the whole summary"))
    yield* chat.ask("hello")
    yield* compaction.create({ sessionID: chat.id, agent: "build", model: chat.model, auto: false })
    const turn = yield* prompt.loop({ sessionID: chat.id }).pipe(Effect.forkChild)
    yield* chat.holds((part) => part.type === "text" && part.text === "")
    yield* door.open
    yield* Fiber.join(turn)

    const summaries = (yield* chat.answers).filter((item) => item.info.summary)
    expect(summaries.map((item) => texts(item.parts))).toEqual([["the whole summary"]])
    expect(served(summaries)).toEqual([chat.ids.second])
    expect(summaries[0].info.error).toBeUndefined()
    expect(open(summaries[0].parts)).toEqual([])
  }),
)

it.instance("a summary waits for the first provider to return when all are unavailable, and asks that one", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const prompt = yield* SessionPrompt.Service
    const compaction = yield* SessionCompaction.Service
    chat.first.answer(
      text("one"),
      refuse(429, { error: { message: "Slow down" } }, { "retry-after-ms": "200" }),
      text("the summary"),
    )
    chat.second.answer(limited(3600))
    yield* chat.ask("hello")
    yield* compaction.create({ sessionID: chat.id, agent: "build", model: chat.model, auto: false })
    yield* prompt.loop({ sessionID: chat.id })

    const summaries = (yield* chat.answers).filter((item) => item.info.summary)
    expect(summaries.map((item) => texts(item.parts))).toEqual([["the summary"]])
    expect(served(summaries)).toEqual([chat.ids.first])
    expect(chat.second.asked).toHaveLength(1)
  }),
)

// Titles

it.instance("when a title fails the next provider is asked", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ title: false })
    const sessions = yield* Session.Service
    chat.first.answer(text("hello"))
    chat.first.answerTitle(limited(3600))
    chat.second.answer(text("hello"))
    chat.second.answerTitle(text("Greeting"))
    yield* chat.ask("hello")

    yield* pollWithTimeout(
      sessions.get(chat.id).pipe(Effect.map((item) => (item.title === "Greeting" ? true : undefined))),
      "the title never came",
    )
    expect([chat.first.titles.length, chat.second.titles.length]).toEqual([1, 1])
  }),
)

it.instance("a title whose connection breaks is not stored partially", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ title: false })
    const sessions = yield* Session.Service
    chat.first.answer(text("hello"))
    chat.first.answerTitle(stream(say("Greet"), cut))
    chat.second.answer(text("hello"))
    chat.second.answerTitle(text("Greeting"))
    yield* chat.ask("hello")

    const title = yield* pollWithTimeout(
      sessions.get(chat.id).pipe(Effect.map((item) => (item.title.startsWith("Greet") ? item.title : undefined))),
      "the title never came",
    )
    expect(title).toBe("Greeting")
  }),
)

// Subagents

it.instance("a subagent inherits the combined model and fails over by itself", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const sessions = yield* Session.Service
    chat.first.answer(
      stream(
        call(0, "call_task", "task", {
          description: "look it up",
          prompt: "look it up",
          subagent_type: "general",
        }),
        ...finish("tool_calls"),
      ),
      limited(3600),
    )
    chat.second.answer(text("the subagent found forty-two"), text("it is forty-two"))
    yield* chat.ask("what is it?")

    const [child] = yield* sessions.children(chat.id)
    const messages = yield* sessions.messages({ sessionID: child.id })
    expect(messages[0].info.role === "user" ? messages[0].info.model : undefined).toMatchObject(chat.model)
    expect(served(yield* answers(child.id))).toEqual([chat.ids.second])
    const list = yield* chat.answers
    expect(tools(list[0].parts).map((part) => part.state.status)).toEqual(["completed"])
    expect(texts(list.at(-1)?.parts ?? [])).toEqual(["it is forty-two"])
  }),
)

it.instance("a subagent of a parent on a plain model stays on that model", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const sessions = yield* Session.Service
    const model = yield* plain(chat.ids.second)
    chat.second.answer(
      stream(
        call(0, "call_task", "task", { description: "look", prompt: "look", subagent_type: "general" }),
        ...finish("tool_calls"),
      ),
      text("found"),
      text("done"),
    )
    yield* chat.ask("what is it?", { model })

    const [child] = yield* sessions.children(chat.id)
    const [asked] = yield* sessions.messages({ sessionID: child.id })
    expect(asked.info.role === "user" ? asked.info.model : undefined).toMatchObject(model)
    expect(chat.first.asked).toHaveLength(0)
  }),
)

it.instance("a subagent with a model of its own keeps it", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({
      config: { agent: { scout: { mode: "subagent", description: "looks", model: "combined/none" } } },
    })
    const sessions = yield* Session.Service
    chat.first.answer(
      stream(
        call(0, "call_task", "task", { description: "look", prompt: "look", subagent_type: "scout" }),
        ...finish("tool_calls"),
      ),
      text("done"),
    )
    yield* chat.ask("what is it?")

    const [child] = yield* sessions.children(chat.id)
    const [asked] = yield* sessions.messages({ sessionID: child.id })
    expect(asked.info.role === "user" ? asked.info.model : undefined).toMatchObject({ modelID: "none" })
  }),
)

// What is not combined

it.instance("a plain model does not fail over", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const model = yield* plain(chat.ids.first)
    chat.first.answer(refuse(401, { error: { message: "Invalid API key" } }))
    yield* chat.ask("hello", { model })

    expect(JSON.stringify((yield* chat.answers)[0].info.error)).toContain("Invalid API key")
    expect(chat.second.asked).toHaveLength(0)
  }),
)

it.instance("later turns send what both providers said, whoever serves", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(text("from the first"), limited(3600))
    chat.second.answer(text("from the second"), text("from the second again"))
    yield* chat.ask("one")
    yield* chat.ask("two")
    yield* chat.ask("three")

    const sent = JSON.stringify(chat.second.asked[1].messages)
    expect(sent).toContain("from the first")
    expect(sent).toContain("from the second")
    expect(chat.second.asked[1].messages.filter((item) => item.role !== "system").map((item) => item.role)).toEqual([
      "user",
      "assistant",
      "user",
      "assistant",
      "user",
    ])
  }),
)
