/** Passes on headers, signs of life and events of an answer, before it is decoded, to whoever made the request. */
import { AsyncLocalStorage } from "async_hooks"
import { Context, Effect, Stream } from "effect"

type Named = Readonly<Record<string, string>>

type Response<Chunk, E, R> = {
  /** As it was sent. */
  readonly request?: { readonly url: string; readonly headers: Named }
  readonly headers: Named
  readonly stream: Stream.Stream<Chunk, E, R>
}

export type Listener = {
  /** The address and the headers that were sent. A provider may repeat secrets in them. */
  readonly asked: (url: string, headers: Named) => void
  readonly headers: (headers: Named) => void
  /** Something arrived, even if only a comment; or a request was sent whose answer will be heard. */
  readonly sign: () => void
  /** A piece of the answer as it came, before `event` has what is in it. */
  readonly chunk: (chunk: Uint8Array) => void
  /** An event, in the provider's own form. */
  readonly event: (event: unknown) => void
  /** The AI SDK's error of a request. Upstream only keeps its message. */
  readonly refused: (error: unknown) => void
}

export const Current = Context.Reference<Listener | undefined>("@opencode/CombinedHeard/Current", {
  defaultValue: () => undefined,
})

/** Passes on the headers of an answer. */
export const headers = (headers: Named) =>
  Effect.map(Effect.service(Current), (listener) => {
    listener?.headers(headers)
    listener?.sign()
  })

/** Passes on each chunk of an answer. Whatever a chunk is, it is a sign of life. */
export const signs = <Chunk, E, R>(stream: Stream.Stream<Chunk, E, R>) =>
  Stream.unwrap(
    Effect.map(Effect.service(Current), (listener) =>
      listener ? Stream.tap(stream, (chunk) => Effect.sync(() => hear(listener, chunk))) : stream,
    ),
  )

function hear(listener: Listener, chunk: unknown) {
  listener.sign()
  if (chunk instanceof Uint8Array) listener.chunk(chunk)
}

/** Wraps a request whose answer is read as a stream. */
export const answer = <Chunk, E, R, Failure, Needs>(request: Effect.Effect<Response<Chunk, E, R>, Failure, Needs>) =>
  Effect.flatMap(Effect.service(Current), (listener) =>
    Effect.map(request, (response): Pick<Response<Chunk, E, R>, "stream"> => {
      if (!listener) return response
      if (response.request) listener.asked(response.request.url, response.request.headers)
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
    Effect.tryPromise({
      try: () => (listener ? asking.run(listener, ask.try) : ask.try()),
      catch: (error) => {
        listener?.refused(error)
        return ask.catch(error)
      },
    }),
  )

/** For each part of an answer that comes from the AI SDK. */
export const part = (part: { readonly type: string }) => (part.type === "error" ? event(part) : Effect.void)

/** Wraps the `fetch` that the AI SDK sends its requests with. */
export const fetch =
  <Args extends readonly unknown[]>(send: (...args: Args) => Promise<globalThis.Response>) =>
  async (...args: Args) => {
    const listener = asking.getStore()
    if (!listener) return send(...args)
    asked(listener, args)
    listener.sign()
    const response = await send(...args)
    listener.headers(Object.fromEntries(response.headers))
    listener.sign()
    if (!response.body) return response
    const read = errors(listener)
    const heard = new TransformStream<Uint8Array, Uint8Array>({
      transform(chunk, controller) {
        hear(listener, chunk)
        read(chunk)
        controller.enqueue(chunk)
      },
    })
    const { status, statusText, headers } = response
    return new globalThis.Response(response.body.pipeThrough(heard), { status, statusText, headers })
  }

/** What `fetch` is called with. */
function asked(listener: Listener, [input, init]: readonly unknown[]) {
  const request = input instanceof Request ? input : undefined
  const url = input instanceof URL ? input.href : typeof input === "string" ? input : request?.url
  const given = init as { readonly headers?: ConstructorParameters<typeof Headers>[0] } | undefined
  listener.asked(url ?? "", Object.fromEntries(new Headers(given?.headers ?? request?.headers)))
}

/** An event that is longer than this is not one that says that the answer failed. */
const LONGEST = 20_000

/** Reads the events of a stream that may say that the answer failed. SDKs ignore those of other vendors. */
function errors(listener: Listener) {
  const decoder = new TextDecoder()
  const rest = { line: "" }
  return (chunk: Uint8Array) => {
    const [first = "", ...more] = decoder.decode(chunk, { stream: true }).split("\n")
    const lines = [rest.line + first, ...more]
    rest.line = (lines.pop() ?? "").slice(0, LONGEST)
    for (const line of lines) {
      if (!line.startsWith("data:") || !line.includes('"error"')) continue
      // The SDK reports an event that cannot be read.
      const event = json(line.slice("data:".length))
      if (event !== undefined) listener.event(event)
    }
  }
}

function json(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

export * as CombinedHeard from "./heard"
