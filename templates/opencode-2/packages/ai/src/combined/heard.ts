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

const heard = (response: Response, listener: Listener): Pick<Response, "stream"> => {
  listener.headers(response.headers)
  listener.sign()
  return { stream: response.stream.pipe(Stream.tap(() => Effect.sync(listener.sign))) }
}

/** Wraps a request whose answer is read as a stream. */
export const answer = <E, R>(request: Effect.Effect<Response, E, R>) =>
  Effect.flatMap(Effect.service(Current), (listener) =>
    Effect.map(request, (response) => (listener ? heard(response, listener) : response)),
  )

/** For each event of an answer. */
export const event = (event: unknown) => Effect.map(Effect.service(Current), (listener) => listener?.event(event))

export * as CombinedHeard from "./heard"
