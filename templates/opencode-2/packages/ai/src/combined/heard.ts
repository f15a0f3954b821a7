/** Passes on what comes of an answer before it is decoded, to whoever made the request and asks for it. */
import { Context, Effect, Stream } from "effect"

type Headers = Readonly<Record<string, string>>

type Response<Chunk, E, R> = {
  readonly headers: Headers
  readonly stream: Stream.Stream<Chunk, E, R>
}

export type Listener = {
  readonly headers: (headers: Headers) => void
  /** Anything came, such as a comment. */
  readonly sign: () => void
  /** An event, in the provider's own form. */
  readonly event: (event: unknown) => void
}

export const Current = Context.Reference<Listener | undefined>("@opencode/CombinedHeard/Current", {
  defaultValue: () => undefined,
})

/** For the headers of an answer. */
export const headers = (headers: Headers) =>
  Effect.map(Effect.service(Current), (listener) => {
    listener?.headers(headers)
    listener?.sign()
  })

/** Wraps what comes of an answer, whatever it is. */
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

/** For each event of an answer. */
export const event = (event: unknown) => Effect.map(Effect.service(Current), (listener) => listener?.event(event))

export * as CombinedHeard from "./heard"
