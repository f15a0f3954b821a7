import { expect, setDefaultTimeout } from "bun:test"
import { Effect } from "effect"
import { SessionCompaction } from "@/session/compaction"
import { SessionPrompt } from "@/session/prompt"
import { finish, refuse, say, stream, text, think } from "./fake-provider"
import { combinedSession, it, open, served, texts } from "./rig"

setDefaultTimeout(30_000)

const limited = refuse(429, { error: { message: "Rate limit reached" } }, { "retry-after": "3600" })

const tooLong = refuse(400, { error: { message: "prompt is too long: 213462 tokens > 200000 maximum" } })

it.instance("a conversation that is too long for every member is compacted by the next one, and continues", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    // There is room for 190,000 tokens, and the answer uses it up. After the summary, OpenCode lets the model go on by
    // itself.
    chat.first.answer(text("one", { input: 195_000, output: 100 }), limited)
    chat.second.answer(text("the summary"), text("nothing more to do", { input: 500, output: 10 }))
    yield* chat.ask("hello")

    const list = yield* chat.answers
    const summaries = list.filter((item) => item.info.summary)
    expect(summaries.map((item) => texts(item.parts))).toEqual([["the summary"]])
    expect(served(summaries)).toEqual([chat.ids.second])
    expect(texts(list.at(-1)?.parts ?? [])).toEqual(["nothing more to do"])
    expect(list.flatMap((item) => open(item.parts))).toEqual([])
    expect(list.every((item) => item.info.error === undefined)).toBe(true)
    const sent = JSON.stringify(chat.second.asked[1].messages)
    expect(sent).toContain("the summary")
  }),
)

it.instance("a summary that is too long for one member is made by one with enough room", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ models: { second: { limit: { context: 1_000_000, output: 10_000 } } } })
    const prompt = yield* SessionPrompt.Service
    const compaction = yield* SessionCompaction.Service
    chat.first.answer(text("one"), tooLong, text("two"))
    chat.second.answer(text("the summary"))
    yield* chat.ask("hello")
    yield* compaction.create({ sessionID: chat.id, agent: "build", model: chat.model, auto: false })
    yield* prompt.loop({ sessionID: chat.id })

    const summaries = (yield* chat.answers).filter((item) => item.info.summary)
    expect(summaries.map((item) => texts(item.parts))).toEqual([["the summary"]])
    expect(served(summaries)).toEqual([chat.ids.second])
    expect(summaries[0].info.error).toBeUndefined()

    // The first member is not to blame, and serves what fits.
    yield* chat.ask("again")
    expect(served(yield* chat.answers).at(-1)).toBe(chat.ids.first)
  }),
)

it.instance("a summary that is too long for every member is the error that upstream makes of it", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const prompt = yield* SessionPrompt.Service
    const compaction = yield* SessionCompaction.Service
    chat.first.answer(text("one"), tooLong)
    chat.second.answer(tooLong)
    yield* chat.ask("hello")
    yield* compaction.create({ sessionID: chat.id, agent: "build", model: chat.model, auto: false })
    yield* prompt.loop({ sessionID: chat.id })

    const summaries = (yield* chat.answers).filter((item) => item.info.summary)
    expect(summaries.map((item) => item.info.error?.name)).toEqual(["ContextOverflowError"])
    expect(chat.second.asked).toHaveLength(1)
  }),
)

it.instance("a summary that ends without a finish reason is made again by the next member", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const prompt = yield* SessionPrompt.Service
    const compaction = yield* SessionCompaction.Service
    chat.first.answer(text("one"), stream(say("half a sum")))
    chat.second.answer(stream(say("the summary"), ...finish("stop")))
    yield* chat.ask("hello")
    yield* compaction.create({ sessionID: chat.id, agent: "build", model: chat.model, auto: false })
    yield* prompt.loop({ sessionID: chat.id })

    const summaries = (yield* chat.answers).filter((item) => item.info.summary)
    expect(summaries.map((item) => texts(item.parts))).toEqual([["the summary"]])
    expect(served(summaries)).toEqual([chat.ids.second])
  }),
)

it.instance("a summary by the next member has none of the other one's reasoning", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    const prompt = yield* SessionPrompt.Service
    const compaction = yield* SessionCompaction.Service
    chat.first.answer(stream(think("a thought of its own"), say("one"), ...finish("stop")), limited)
    chat.second.answer(text("the summary"))
    yield* chat.ask("hello")
    yield* compaction.create({ sessionID: chat.id, agent: "build", model: chat.model, auto: false })
    yield* prompt.loop({ sessionID: chat.id })

    expect(JSON.stringify(chat.first.asked[1].messages)).toContain("a thought of its own")
    // From v1.18.15 on, upstream writes thoughts into the text to be summarised, for every provider alike.
    expect(JSON.stringify(chat.second.asked[0].messages)).not.toContain('"reasoning')
  }),
)
