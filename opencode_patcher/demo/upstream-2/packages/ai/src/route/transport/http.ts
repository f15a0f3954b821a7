import { Effect, Stream } from "effect"
import { HttpClientRequest } from "effect/unstable/http"
import { Auth } from "../auth"
import { Executor } from "../executor"
import { InvalidProviderOutputReason, type LLMError } from "../../schema/errors"
import type { LLMRequest } from "../../schema/messages"

export type Runtime = { readonly http: Executor.Interface }

export type HttpPrepared = { readonly request: HttpClientRequest.HttpClientRequest }

export type Transport = {
  readonly id: string
  readonly prepare: (input: { readonly url: string; readonly body: object; readonly auth: Auth }) => HttpPrepared
  readonly frames: (prepared: HttpPrepared, request: LLMRequest, runtime: Runtime) => Stream.Stream<string, LLMError>
}

/** Sends JSON, and reads the server-sent events that come back: the data of each. */
export const httpJson = (): Transport => ({
  id: "http-json",
  prepare: ({ url, body, auth }) => ({
    request: HttpClientRequest.post(url).pipe(
      HttpClientRequest.setHeaders(auth({})),
      HttpClientRequest.bodyJsonUnsafe(body),
    ),
  }),
  frames: (prepared, request, runtime) =>
    Stream.unwrap(
      runtime.http
        .execute(prepared.request)
        .pipe(Effect.map((response) => data(response.stream, `${request.model.provider}/${request.model.route.id}`))),
    ),
})

const data = (bytes: Stream.Stream<Uint8Array, unknown>, route: string) =>
  bytes.pipe(
    Stream.mapError(() =>
      Executor.error(new InvalidProviderOutputReason({ message: `Failed to read ${route} stream` })),
    ),
    Stream.decodeText(),
    Stream.splitLines,
    Stream.filter((line) => line.startsWith("data:")),
    Stream.map((line) => line.slice("data:".length).trim()),
    Stream.filter((text) => text !== "" && text !== "[DONE]"),
  )
