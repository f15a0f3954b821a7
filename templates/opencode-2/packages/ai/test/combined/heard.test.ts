import { expect, test } from "bun:test"
import { Effect, Stream } from "effect"
import type { HttpClientResponse } from "effect/unstable/http"
import { CombinedHeard } from "../../src/combined/heard"

const response = {
  headers: { "x-plan": "96" },
  stream: Stream.make(new Uint8Array([1]), new Uint8Array([2])),
} as unknown as HttpClientResponse.HttpClientResponse

test("whoever asks hears the headers, every chunk and every event of an answer", async () => {
  const heard: unknown[] = []
  const listener: CombinedHeard.Listener = {
    headers: (headers) => heard.push(headers["x-plan"]),
    sign: () => heard.push("sign"),
    event: (event) => heard.push(event),
  }
  const answer = Effect.gen(function* () {
    const found = yield* CombinedHeard.answer(Effect.succeed(response))
    yield* Stream.runDrain(found.stream)
    yield* CombinedHeard.event("event")
  })
  await Effect.runPromise(Effect.provideService(answer, CombinedHeard.Current, listener))
  expect(heard).toEqual(["96", "sign", "sign", "sign", "event"])
})

test("an answer that nobody listens to is passed on as it is", async () => {
  expect(await Effect.runPromise(CombinedHeard.answer(Effect.succeed(response)))).toBe(response)
})

test("what the AI SDK asks with our fetch is heard by whoever asks it, and by nobody else", async () => {
  const heard: unknown[] = []
  const listener: CombinedHeard.Listener = {
    headers: (headers) => heard.push(headers["x-plan"]),
    sign: () => heard.push("sign"),
    event: (event) => heard.push(event),
  }
  const send = CombinedHeard.fetch(async (text: string) => new Response(text, { headers: { "x-plan": "96" } }))
  const ask = CombinedHeard.promise({
    try: async () => (await send("answer")).text(),
    catch: (error) => error,
  })
  expect(await Effect.runPromise(Effect.provideService(ask, CombinedHeard.Current, listener))).toBe("answer")
  expect(heard).toEqual(["sign", "96", "sign", "sign"])
  expect(await Effect.runPromise(ask)).toBe("answer")
  expect(heard).toHaveLength(4)
})
