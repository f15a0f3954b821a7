export * as Executor from "./executor"

import { Effect } from "effect"
import { HttpClient, type HttpClientRequest, type HttpClientResponse } from "effect/unstable/http"
import { isContextOverflow } from "../provider-error"
import {
  AuthenticationReason,
  InvalidRequestReason,
  LLMError,
  ProviderInternalReason,
  QuotaExceededReason,
  RateLimitReason,
  TransportReason,
  type LLMErrorReason,
} from "../schema/errors"

export interface Interface {
  /** Fails for an answer that is none. */
  readonly execute: (
    request: HttpClientRequest.HttpClientRequest,
  ) => Effect.Effect<HttpClientResponse.HttpClientResponse, LLMError>
}

export const error = (reason: LLMErrorReason) => new LLMError({ module: "Executor", method: "execute", reason })

export const make = (client: HttpClient.HttpClient): Interface => ({
  execute: (request) =>
    client.execute(request).pipe(
      Effect.mapError(() => error(new TransportReason({ message: "HTTP transport failed" }))),
      Effect.flatMap((response) => (response.status < 400 ? Effect.succeed(response) : refused(response))),
    ),
})

const refused = (response: HttpClientResponse.HttpClientResponse) =>
  Effect.gen(function* () {
    const body = yield* response.text.pipe(Effect.orElseSucceed(() => ""))
    const { status, headers } = response
    const said = { message: `HTTP ${status}`, http: { response: { status, headers: { ...headers } }, body } }
    const seconds = Number(headers["retry-after"])
    const retry = seconds > 0 ? { retryAfterMs: seconds * 1000 } : {}
    if (status === 429) return yield* error(new RateLimitReason({ ...said, ...retry }))
    if (status === 402) return yield* error(new QuotaExceededReason(said))
    if (status === 401 || status === 403) return yield* error(new AuthenticationReason(said))
    if (status >= 500) return yield* error(new ProviderInternalReason({ ...said, ...retry }))
    const overflow = isContextOverflow(body) && ({ classification: "context-overflow" } as const)
    return yield* error(new InvalidRequestReason({ ...said, ...overflow }))
  })
