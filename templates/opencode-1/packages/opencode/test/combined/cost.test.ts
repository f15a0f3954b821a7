import { expect, setDefaultTimeout } from "bun:test"
import { readFileSync } from "fs"
import { Effect, Fiber } from "effect"
import { CombinedLog } from "@/combined/host/log"
import { SessionCompaction } from "@/session/compaction"
import { SessionPrompt } from "@/session/prompt"
import { Session } from "@/session/session"
import type { SessionID } from "@/session/schema"
import { call, cut, finish, refuse, report, say, stream, text, wait } from "./fake-provider"
import { answers, COST, combinedSession, it, served, texts, tools, written } from "./rig"

setDefaultTimeout(30_000)

const SMALL = { input: 1000, output: 100 }
const LARGE = { input: 2000, output: 200 }

const price = (of: keyof typeof COST, usage: { input: number; output: number }) =>
  (usage.input * COST[of].input + usage.output * COST[of].output) / 1_000_000

/** An empty answer, for which the provider still charges. */
const empty = (usage: { input: number; output: number }) => stream(...finish("stop", usage))

/** Gives the client time to read what came before, which a cut right after it might take away. */
const read = wait(() => Bun.sleep(200))

/** OpenCode's own totals: that of the session, and the sum over its messages that a client computes. */
const totals = Effect.fn("test.totals")(function* (id: SessionID) {
  const sessions = yield* Session.Service
  const { cost, tokens } = yield* sessions.get(id)
  const list = yield* answers(id)
  return { session: cost, messages: list.reduce((sum, item) => sum + item.info.cost, 0), tokens }
})

const logged = (session: string) =>
  readFileSync(CombinedLog.FILE, "utf8")
    .trim()
    .split("\n")
    .map((line): CombinedLog.Record => JSON.parse(line))
    .filter((item) => item.session === session && item.purpose !== "title")
    .map((item) => ({ provider: item.provider, cost: item.cost, input: item.tokens.input }))

it.instance("the cost of a discarded answer is in the answer that replaced it", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    chat.first.answer(empty(SMALL))
    chat.second.answer(text("answered", LARGE))
    yield* chat.ask("hello")

    const due = price("first", SMALL) + price("second", LARGE)
    const list = yield* chat.answers
    expect(served(list)).toEqual([chat.ids.second])
    expect(list[0].info.cost).toBeCloseTo(due, 10)
    const found = yield* totals(chat.id)
    expect(found.session).toBeCloseTo(due, 10)
    // The served request shows how full the context is; the session counts all tokens that were paid for.
    expect(list[0].info.tokens).toMatchObject(LARGE)
    expect(found.tokens).toMatchObject({ input: SMALL.input + LARGE.input, output: SMALL.output + LARGE.output })
    expect(logged(chat.id)).toEqual([
      { provider: chat.ids.first, cost: price("first", SMALL), input: SMALL.input },
      { provider: chat.ids.second, cost: price("second", LARGE), input: LARGE.input },
    ])
  }),
)

it.instance("the tokens of one that was free are counted too", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ models: { first: { cost: { input: 0, output: 0 } } } })
    chat.first.answer(empty(SMALL))
    chat.second.answer(text("answered", LARGE))
    yield* chat.ask("hello")

    const found = yield* totals(chat.id)
    expect(found.session).toBeCloseTo(price("second", LARGE), 10)
    expect(found.tokens).toMatchObject({ input: SMALL.input + LARGE.input, output: SMALL.output + LARGE.output })
  }),
)

it.instance("what a provider reported before its connection broke counts too", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { max_attempts: 1 } })
    chat.first.answer(stream(say("half"), report({ input: 1000, output: 1 }), report(SMALL), read, cut))
    chat.second.answer(text("answered", LARGE))
    yield* chat.ask("hello")

    const due = price("first", SMALL) + price("second", LARGE)
    const list = yield* chat.answers
    expect(list.map((item) => texts(item.parts))).toEqual([["answered"]])
    const found = yield* totals(chat.id)
    expect(found.messages).toBeCloseTo(due, 10)
    expect(found.session).toBeCloseTo(due, 10)
    expect(list[0].info.tokens).toMatchObject(LARGE)
    expect(logged(chat.id).map((item) => item.cost)).toEqual([price("first", SMALL), price("second", LARGE)])
  }),
)

it.instance("it counts if a finished tool of that answer stays, and says how full the context is", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { max_attempts: 1 } })
    chat.first.answer(
      stream(
        report(SMALL),
        call(0, "call_one", "bash", { command: "echo ran >> ran", description: "Leave a mark" }),
        wait(() => written(chat.file("ran")).then(() => Bun.sleep(100))),
        cut,
      ),
    )
    chat.second.answer(text("done", LARGE))
    yield* chat.ask("hello")

    const list = yield* chat.answers
    expect(served(list)).toEqual([chat.ids.first, chat.ids.second])
    expect(list.map((item) => item.info.cost)).toEqual([price("first", SMALL), price("second", LARGE)])
    expect(list[0].info.tokens).toMatchObject(SMALL)
    expect((yield* totals(chat.id)).session).toBeCloseTo(price("first", SMALL) + price("second", LARGE), 10)
  }),
)

it.instance("it counts if the connection just ends", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { max_attempts: 1 } })
    chat.first.answer(stream(say("half"), report(SMALL)))
    chat.second.answer(text("answered", LARGE))
    yield* chat.ask("hello")

    const found = yield* totals(chat.id)
    expect(found.messages).toBeCloseTo(price("first", SMALL) + price("second", LARGE), 10)
    expect(found.session).toBeCloseTo(found.messages, 10)
    expect(logged(chat.id).map((item) => item.cost)).toEqual([price("first", SMALL), price("second", LARGE)])
  }),
)

it.instance("it counts if the user cancels in the middle, or if that ends the turn", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { strategy: "on_rate_limit", max_attempts: 1 } })
    const prompt = yield* SessionPrompt.Service
    chat.first.answer(
      stream(
        say("half"),
        report(SMALL),
        wait(() => new Promise(() => {})),
      ),
      stream(say("half"), report(SMALL), read, cut),
    )
    const turn = yield* chat.ask("hello").pipe(Effect.forkChild)
    yield* Effect.promise(() => chat.first.times(1))
    yield* Effect.sleep(300)
    yield* prompt.cancel(chat.id)
    yield* Fiber.await(turn)
    const cancelled = yield* totals(chat.id)
    expect(cancelled.messages).toBeCloseTo(price("first", SMALL), 10)
    expect(cancelled.session).toBeCloseTo(cancelled.messages, 10)

    yield* chat.ask("again")
    const list = yield* chat.answers
    expect(list.at(-1)?.info.error?.name).toBeDefined()
    const ended = yield* totals(chat.id)
    expect(ended.messages).toBeCloseTo(2 * price("first", SMALL), 10)
    expect(ended.session).toBeCloseTo(ended.messages, 10)
  }),
)

it.instance("a cancel that comes while an attempt is cleaned up leaves nothing of it, and its cost counts once", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const prompt = yield* SessionPrompt.Service
    const sessions = yield* Session.Service
    const { updateMessage } = sessions
    const state = { cancelled: false }
    // Upstream's cleanup is what first stores the message as completed.
    const cancelling: typeof updateMessage = (message) =>
      updateMessage(message).pipe(
        Effect.tap(() => {
          if (state.cancelled || message.role !== "assistant" || !message.time.completed) return Effect.void
          state.cancelled = true
          return prompt
            .cancel(chat.id)
            .pipe(Effect.forkDetach({ startImmediately: true }), Effect.andThen(Effect.sleep(50)))
        }),
      )
    chat.first.answer(stream(say("half"), report(SMALL), read, cut))
    yield* Effect.acquireUseRelease(
      Effect.sync(() => Object.assign(sessions, { updateMessage: cancelling })),
      () => chat.ask("hello").pipe(Effect.exit),
      () => Effect.sync(() => Object.assign(sessions, { updateMessage })),
    )
    expect(state.cancelled).toBe(true)
    expect(yield* chat.answers).toEqual([])

    chat.second.answer(text("answered", LARGE))
    yield* chat.ask("again")
    const due = price("first", SMALL) + price("second", LARGE)
    const found = yield* totals(chat.id)
    expect(found.messages).toBeCloseTo(due, 10)
    expect(found.session).toBeCloseTo(due, 10)
  }),
)

it.instance("each of several discarded answers is counted once", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { cooldown: { max: 1 } } })
    chat.first.answer(empty(SMALL), text("answered", SMALL))
    chat.second.answer(empty(LARGE))
    yield* chat.ask("hello")

    const due = 2 * price("first", SMALL) + price("second", LARGE)
    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["answered"]])
    const found = yield* totals(chat.id)
    expect(found.messages).toBeCloseTo(due, 10)
    expect(found.session).toBeCloseTo(due, 10)
  }),
)

it.instance("it is there too when a finished tool of that answer stays and another member continues", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { cooldown: { max: 3_000 } } })
    chat.first.answer(empty(SMALL), text("done", SMALL))
    chat.second.answer(
      stream(
        call(0, "call_one", "bash", { command: "echo ran >> ran", description: "Leave a mark" }),
        wait(() => written(chat.file("ran")).then(() => Bun.sleep(100))),
        cut,
      ),
    )
    yield* chat.ask("hello")

    const list = yield* chat.answers
    expect(served(list)).toEqual([chat.ids.second, chat.ids.first])
    expect(tools(list[0].parts)).toHaveLength(1)
    expect(list.map((item) => item.info.cost)).toEqual([price("first", SMALL), price("first", SMALL)])
    expect((yield* totals(chat.id)).session).toBeCloseTo(2 * price("first", SMALL), 10)
  }),
)

it.instance("it is there too when the user cancels that answer", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const prompt = yield* SessionPrompt.Service
    chat.first.answer(empty(SMALL))
    chat.second.answer(stream(wait(() => new Promise(() => {}))))
    const turn = yield* chat.ask("hello").pipe(Effect.forkChild)
    yield* Effect.promise(() => chat.second.times(1))
    yield* prompt.cancel(chat.id)
    yield* Fiber.await(turn)

    const found = yield* totals(chat.id)
    expect(found.messages).toBeCloseTo(price("first", SMALL), 10)
    expect(found.session).toBeCloseTo(found.messages, 10)
  }),
)

it.instance("it is there too when no member can answer in the end", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ combined: { cooldown: { min: 70_000 } } })
    chat.first.answer(empty(SMALL))
    chat.second.answer(refuse(401, { error: { message: "Invalid API key" } }))
    yield* chat.ask("hello")

    const list = yield* chat.answers
    expect(list.map((item) => item.info.error?.name)).toEqual(["UnknownError"])
    const found = yield* totals(chat.id)
    expect(found.messages).toBeCloseTo(price("first", SMALL), 10)
    expect(found.session).toBeCloseTo(found.messages, 10)
  }),
)

it.instance("a summary that is made again counts every attempt, in both totals", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const prompt = yield* SessionPrompt.Service
    const compaction = yield* SessionCompaction.Service
    chat.first.answer(text("one", SMALL), empty(SMALL))
    chat.second.answer(text("the summary", LARGE))
    yield* chat.ask("hello")
    yield* compaction.create({ sessionID: chat.id, agent: "build", model: chat.model, auto: false })
    yield* prompt.loop({ sessionID: chat.id })

    const summary = (yield* chat.answers).filter((item) => item.info.summary)
    expect(summary.map((item) => texts(item.parts))).toEqual([["the summary"]])
    expect(summary[0].info.cost).toBeCloseTo(price("first", SMALL) + price("second", LARGE), 10)
    expect(summary[0].info.tokens).toMatchObject(LARGE)
    const found = yield* totals(chat.id)
    expect(found.session).toBeCloseTo(2 * price("first", SMALL) + price("second", LARGE), 10)
    expect(found.messages).toBeCloseTo(found.session ?? 0, 10)
    expect(logged(chat.id).map((item) => item.cost)).toEqual([
      price("first", SMALL),
      price("first", SMALL),
      price("second", LARGE),
    ])
  }),
)

it.instance("a fork and an undo keep both totals equal", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const sessions = yield* Session.Service
    chat.first.answer(empty(SMALL))
    chat.second.answer(text("answered", LARGE))
    yield* chat.ask("hello")
    const before = yield* totals(chat.id)

    const fork = yield* sessions.fork({ sessionID: chat.id })
    expect(yield* totals(fork.id)).toEqual(before)
    const [answer] = yield* chat.answers
    yield* sessions.removeMessage({ sessionID: chat.id, messageID: answer.info.id })
    const after = yield* totals(chat.id)
    expect(after.messages).toBe(0)
    expect(after.session).toBeCloseTo(0, 10)
    expect(after.tokens).toMatchObject({ input: 0, output: 0 })
  }),
)
