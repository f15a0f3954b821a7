/**
 * Upstream ends a request whose headers or chunks are late. Newer releases do so by default, for every provider. The
 * tests set that default where upstream does: in the options of the loaded providers.
 */
import { expect, setDefaultTimeout } from "bun:test"
import { ModelV2 } from "@opencode-ai/core/model"
import { ProviderV2 } from "@opencode-ai/core/provider"
import { Effect } from "effect"
import { CombinedTimeouts } from "@/combined/provider/timeouts"
import { Provider } from "@/provider/provider"
import { refuse, say, finish, stream, text, wait } from "./fake-provider"
import { combinedSession, it, served, texts } from "./rig"

setDefaultTimeout(60_000)

const LIMIT = 150

const late = () => Bun.sleep(4 * LIMIT)

/** The head comes late, and it is silent again in the middle. */
const slow = { ...stream(say("slow "), wait(late), say("and sure"), ...finish("stop")), before: late }

const limited = Effect.fn("test.limited")(function* (ids: { readonly first: string; readonly second: string }) {
  const listed = yield* (yield* Provider.Service).list()
  for (const id of [ids.first, ids.second])
    Object.assign(listed[ProviderV2.ID.make(id)].options, { headerTimeout: LIMIT, chunkTimeout: LIMIT })
})

const plain = (providerID: string) =>
  Provider.Service.use((providers) => providers.getModel(ProviderV2.ID.make(providerID), ModelV2.ID.make("glm-4.6")))

it.instance("a limit that upstream has by default cuts no member", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    yield* limited(chat.ids)
    chat.first.answer(slow, refuse(429, { error: { message: "Slow down" } }, { "retry-after": "3600" }))
    chat.second.answer(slow)
    yield* chat.ask("hello")
    yield* chat.ask("hello to the last member left")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["slow and sure"], ["slow and sure"]])
    expect(served(yield* chat.answers)).toEqual([chat.ids.first, chat.ids.second])
    expect([chat.first.asked.length, chat.second.asked.length]).toEqual([2, 1])
  }),
)

it.instance("a limit that the user has set cuts a member, and the next one takes over", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession({ settings: { chunkTimeout: LIMIT } })
    chat.first.answer(
      stream(
        say("silent "),
        wait(() => chat.second.times(1)),
      ),
    )
    chat.second.answer(text("in time"))
    yield* chat.ask("hello")

    expect((yield* chat.answers).map((item) => texts(item.parts))).toEqual([["in time"]])
    expect(chat.first.asked).toHaveLength(1)
  }),
)

it.instance("the same model by itself keeps upstream's limits, whichever is asked first", () =>
  Effect.gen(function* () {
    const chat = yield* combinedSession()
    yield* limited(chat.ids)
    const providers = yield* Provider.Service
    const member = yield* providers.getModel(chat.model.providerID, chat.model.modelID)
    const model = yield* plain(chat.ids.first)
    expect([CombinedTimeouts.clientKey(member), CombinedTimeouts.clientKey(model)]).toEqual([
      `combined/${chat.ids.first}/glm-4.6`,
      `${chat.ids.first}/glm-4.6`,
    ])
    for (const [asked, answers] of [
      [member, true],
      [model, false],
      [member, true],
    ] as const) {
      const ended = Promise.withResolvers<void>()
      chat.first.answer(answers ? slow : { ...slow, before: () => ended.promise })
      const language = yield* providers.getLanguage(asked)
      const answer = Effect.promise(() =>
        Promise.resolve(
          language.doStream({ prompt: [{ role: "user", content: [{ type: "text", text: "hello" }] }] }),
        ).then(
          () => true,
          () => false,
        ),
      )
      expect(yield* answer).toBe(answers)
      ended.resolve()
    }
  }),
)

it.instance("what the user has set holds, one limit apart from the other", () =>
  Effect.gen(function* () {
    expect(CombinedTimeouts.own({ headerTimeout: false })).toEqual({
      headerTimeout: false,
      chunkTimeout: CombinedTimeouts.NEVER,
    })
    const chat = yield* combinedSession({ settings: { headerTimeout: 600_000 } })
    const providers = yield* Provider.Service
    const member = yield* providers.getModel(chat.model.providerID, chat.model.modelID)
    expect(CombinedTimeouts.timeouts(member)).toEqual({ headerTimeout: 600_000, chunkTimeout: CombinedTimeouts.NEVER })
    expect(CombinedTimeouts.timeouts(yield* plain(chat.ids.first))).toEqual({})
  }),
)
