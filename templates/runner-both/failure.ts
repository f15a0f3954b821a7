/** An error of a request, in the form that decides what to do next. Pure. */
import { CombinedFailure, type Fault, type Kind } from "../failure/classify"
import { CombinedEvent } from "../failure/event"
import type { Rule } from "../failure/rules"
import { LLMError, UnknownProviderReason, isContextOverflowFailure, type ProviderErrorEvent } from "./llm"

export type Kinds = Partial<Record<LLMError["reason"]["_tag"], Kind>>

/** Upstream's classification of an error, if no rule matches its words. */
const KINDS: Kinds = {
  RateLimit: "rate_limit",
  QuotaExceeded: "quota",
  Authentication: "auth",
  ProviderInternal: "server",
  Transport: "network",
}

/** An error of a request, or an error event inside its answer. `own` are the user's rows, `more` what else upstream says. */
export function read(
  error: LLMError | ProviderErrorEvent,
  own: readonly Rule[],
  now = Date.now(),
  more: Kinds = {},
): Fault {
  const overflow = isContextOverflowFailure(error)
  if (!(error instanceof LLMError))
    return CombinedFailure.fault(error, now, { inside: { event: error }, overflow, own })
  const { reason } = error
  const event = "raw" in reason ? failedEvent(reason.raw) : undefined
  if (event !== undefined) return CombinedFailure.fault("", now, { inside: { event }, own })
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
    { overflow, own },
  )
  const kind = more[reason._tag] ?? KINDS[reason._tag]
  if (found.kind !== "unknown" || kind === undefined) return found
  const retryAfter = "retryAfterMs" in reason ? reason.retryAfterMs : undefined
  return { ...found, kind, ...(retryAfter !== undefined && { retryAfter }) }
}

/** The error in an event that upstream's decoder did not know; any other may have the model's own words in it. */
function failedEvent(raw: string | undefined): unknown {
  try {
    const event: unknown = JSON.parse(raw ?? "")
    return CombinedEvent.failed(event) ? event : undefined
  } catch {
    return undefined
  }
}

/** The error with which a request ends if we end it. */
export const failed = (message: string) =>
  new LLMError({ module: "combined", method: "stream", reason: new UnknownProviderReason({ message }) })

export * as CombinedRunnerFailure from "./failure"
