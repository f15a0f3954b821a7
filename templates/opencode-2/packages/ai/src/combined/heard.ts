/** Passes on headers, signs of life and events of an answer, before it is decoded, to whoever made the request. */
import { AsyncLocalStorage } from "async_hooks"
import { Context, Effect, Stream } from "effect"

type Headers = Readonly<Record<string, string>>

type Response<Chunk, E, R> = {
  readonly headers: Headers
  readonly stream: Stream.Stream<Chunk, E, R>
}

export type Listener = {
  readonly headers: (headers: Headers) => void
  /** Something arrived, even if only a comment; or a request was sent whose answer will be heard. */
  readonly sign: () => void
  /** An event, in the provider's own form. */
  readonly event: (event: unknown) => void
}

export const Current = Context.Reference<Listener | undefined>("@opencode/CombinedHeard/Current", {
  defaultValue: () => undefined,
})

/** Passes on the headers of an answer. */
export const headers = (headers: Headers) =>
  Effect.map(Effect.service(Current), (listener) => {
    listener?.headers(headers)
    listener?.sign()
  })

/** Reports a sign of life for each chunk of an answer, whatever the chunk is. */
export const signs = <Chunk, E, R>(stream: Stream.Stream<Chunk, E, R>) =>
  Stream.unwrap(
    Effect.map(Effect.service(Current), (listener) =>
      listener ? Stream.tap(stream, () => Effect.sync(listener.sign)) : stream,
    ),
  )

/** Wraps a request whose answer is read as a stream. */
export const answer = <Chunk, E, R, Failure, Needs>(request: Effect.Effect<Response<Chunk, E, R>, Failure, Needs>) =>
  Effect.flatMap(Effect.service(Current), (listener) =>
    Effect.map(request, (response): Pick<Response<Chunk, E, R>, "stream"> => {
      if (!listener) return response
      listener.headers(response.headers)
      listener.sign()
      return { stream: signs(response.stream) }
    }),
  )

/** Passes on an event of an answer. */
export const event = (event: unknown) => Effect.map(Effect.service(Current), (listener) => listener?.event(event))

/** The listener of a request made through the AI SDK. Only our `fetch` links such a request to its caller. */
const asking = new AsyncLocalStorage<Listener>()

/** Replaces `Effect.tryPromise` where the AI SDK is called. */
export const promise = <A, E>(ask: { readonly try: () => PromiseLike<A>; readonly catch: (error: unknown) => E }) =>
  Effect.flatMap(Effect.service(Current), (listener) =>
    Effect.tryPromise({ ...ask, try: () => (listener ? asking.run(listener, ask.try) : ask.try()) }),
  )

/** Wraps the `fetch` that the AI SDK sends its requests with. */
export const fetch =
  <Args extends readonly unknown[]>(send: (...args: Args) => Promise<globalThis.Response>) =>
  async (...args: Args) => {
    const listener = asking.getStore()
    if (!listener) return send(...args)
    listener.sign()
    const response = await send(...args)
    listener.headers(Object.fromEntries(response.headers))
    listener.sign()
    if (!response.body) return response
    const heard = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        listener.sign()
        controller.enqueue(chunk)
      },
    })
    const { status, statusText, headers } = response
    return new globalThis.Response(response.body.pipeThrough(heard), { status, statusText, headers })
  }

export * as CombinedHeard from "./heard"
