/** An error of the new runner's requests, in the form that decides what to do next. Pure. */
import { LLMError, isContextOverflowFailure, type ProviderErrorEvent } from "@opencode-ai/llm"
import { CombinedFailure, type Fault, type Kind } from "../failure/classify"

/** Upstream's classification of an error, if no rule matches its words. */
const KINDS: Partial<Record<LLMError["reason"]["_tag"], Kind>> = {
  RateLimit: "rate_limit",
  QuotaExceeded: "quota",
  Authentication: "auth",
  ProviderInternal: "server",
  Transport: "network",
}

/** An error of a request, or an error event inside of its answer. */
export function read(error: LLMError | ProviderErrorEvent, now = Date.now()): Fault {
  const overflow = isContextOverflowFailure(error)
  if (!(error instanceof LLMError)) return CombinedFailure.fault(error, now, { inside: { event: error }, overflow })
  const { reason } = error
  const http = "http" in reason ? reason.http : undefined
  const found = CombinedFailure.fault(
    {
      statusCode: http?.response?.status,
      responseHeaders: http?.response?.headers,
      responseBody: http?.body,
      message: reason.message,
      ...(reason._tag === "Transport" && { code: reason.kind }),
    },
    now,
    { overflow },
  )
  const kind = KINDS[reason._tag]
  if (found.kind !== "unknown" || kind === undefined) return found
  return { ...found, kind, ...(error.retryAfterMs !== undefined && { retryAfter: error.retryAfterMs }) }
}

export * as CombinedRunnerFailure from "./failure"
