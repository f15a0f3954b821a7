import { expect, setDefaultTimeout } from "bun:test"
import { Effect, Fiber } from "effect"
import { ShareNext } from "@/share/share-next"
import { cut, gate, say, stream, text, think } from "./fake-provider"
import { combinedSession, it } from "./rig"

setDefaultTimeout(30_000)

type Item = { readonly type: string; readonly data: { readonly id: string; readonly text?: string } }

/** A share service on this machine: the page as it is now, and everything that was ever sent. */
const shareService = Effect.acquireRelease(
  Effect.sync(() => {
    const page = new Map<string, Item>()
    const sent: string[] = []
    const server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      async fetch(request) {
        if (!request.url.endsWith("/sync"))
          return Response.json({ id: "shr_1", url: "http://127.0.0.1/shr_1", secret: "secret" })
        const body: { readonly data: readonly Item[] } = await request.json()
        sent.push(JSON.stringify(body.data))
        for (const item of body.data) page.set(`${item.type}/${item.data.id}`, item)
        return Response.json({})
      },
    })
    const texts = () => [...page.values()].flatMap((item) => (item.type === "part" && item.data.text) || [])
    const holds = async (word: string): Promise<void> => {
      if (texts().includes(word)) return
      await Bun.sleep(20)
      return holds(word)
    }
    return { url: `http://127.0.0.1:${server.port}`, sent, texts, holds, stop: () => server.stop(true) }
  }),
  (service) => Effect.promise(() => service.stop()),
)

it.instance("text that was discarded before the page got it is never sent to it", () =>
  Effect.gen(function* () {
    const service = yield* shareService
    const chat = yield* combinedSession({ config: { enterprise: { url: service.url } } })
    const share = yield* ShareNext.Service
    yield* share.init()
    yield* share.create(chat.id)
    chat.first.answer(stream(say("never whole")))
    chat.second.answer(text("answered"))
    yield* chat.ask("hello")
    yield* Effect.promise(() => service.holds("answered"))

    expect(service.texts()).toEqual(["hello", "answered"])
    expect(service.sent.join()).not.toContain("never whole")
  }),
)

it.instance("text that was discarded later is blanked on the page", () =>
  Effect.gen(function* () {
    const service = yield* shareService
    const chat = yield* combinedSession({ config: { enterprise: { url: service.url } } })
    const share = yield* ShareNext.Service
    yield* share.init()
    yield* share.create(chat.id)
    const door = gate()
    chat.first.answer(stream(think("a thought that is over"), say("half an ans"), door.wait, cut))
    chat.second.answer(text("answered"))
    const turn = yield* chat.ask("hello").pipe(Effect.forkChild)
    yield* Effect.promise(() => service.holds("a thought that is over"))
    yield* door.open
    yield* Fiber.join(turn)
    yield* Effect.promise(() => service.holds("answered"))

    expect(service.texts()).toEqual(["hello", "answered"])
  }),
)
