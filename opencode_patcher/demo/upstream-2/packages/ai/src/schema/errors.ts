/** What can go wrong with a request. */
import { Data } from "effect"

export type ProviderFailureClassification = "context-overflow"

export type HttpContext = {
  readonly response?: { readonly status: number; readonly headers: Readonly<Record<string, string>> }
  readonly body?: string
}

type Refused = { readonly message: string; readonly http?: HttpContext }

export class InvalidRequestReason extends Data.TaggedClass("InvalidRequest")<
  Refused & { readonly classification?: ProviderFailureClassification }
> {}

export class AuthenticationReason extends Data.TaggedClass("Authentication")<Refused> {}

export class RateLimitReason extends Data.TaggedClass("RateLimit")<Refused & { readonly retryAfterMs?: number }> {}

export class QuotaExceededReason extends Data.TaggedClass("QuotaExceeded")<Refused> {}

export class ProviderInternalReason extends Data.TaggedClass("ProviderInternal")<
  Refused & { readonly retryAfterMs?: number }
> {}

export class TransportReason extends Data.TaggedClass("Transport")<Refused & { readonly kind?: string }> {}

export class InvalidProviderOutputReason extends Data.TaggedClass("InvalidProviderOutput")<{
  readonly message: string
  readonly raw?: string
}> {}

export class UnknownProviderReason extends Data.TaggedClass("UnknownProvider")<Refused> {}

export type LLMErrorReason =
  | InvalidRequestReason
  | AuthenticationReason
  | RateLimitReason
  | QuotaExceededReason
  | ProviderInternalReason
  | TransportReason
  | InvalidProviderOutputReason
  | UnknownProviderReason

export class LLMError extends Data.TaggedError("LLM.Error")<{
  readonly module: string
  readonly method: string
  readonly reason: LLMErrorReason
}> {
  override get message() {
    return `${this.module}.${this.method}: ${this.reason.message}`
  }
}
