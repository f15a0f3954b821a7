/** Reads an error of a request into the form that decides what to do next. Pure. */
import { CombinedFailure, type Fault, type Kind } from "../failure/classify"
import { CombinedEvent } from "../failure/event"
import type { Rule } from "../failure/rules"
import { LLMError, details, isContextOverflowFailure, type ProviderErrorEvent } from "./upstream/llm"

export { failed } from "./upstream/llm"

export type Kinds = Partial<Record<LLMError["reason"]["_tag"], Kind>>

/** Upstream's classification of an error, used if no rule matches its text. */
const KINDS: Kinds = {
  RateLimit: "rate_limit",
  QuotaExceeded: "quota",
  Authentication: "auth",
  ProviderInternal: "server",
  Transport: "network",
}

/**
 * Reads an error of a request, or an error event inside its answer. `own` are the user's rules, `more` further
 * classifications by upstream.
 */
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
  const said = details(error)
  const event = failedEvent(said.event)
  const found =
    event === undefined
      ? CombinedFailure.fault(
          {
            statusCode: said.status,
            responseHeaders: said.headers,
            responseBody: said.body,
            message: reason.message,
            ...(reason._tag === "Transport" && { code: said.code }),
          },
          now,
          { overflow, own },
        )
      : CombinedFailure.fault("", now, { inside: { event }, own })
  const kind = (event === undefined ? more[reason._tag] : undefined) ?? KINDS[reason._tag]
  if (found.kind !== "unknown" || kind === undefined) return found
  const retryAfter = "retryAfterMs" in reason ? reason.retryAfterMs : undefined
  return { ...found, kind, ...(retryAfter !== undefined && { retryAfter }) }
}

/** The error in an event that upstream's decoder did not know. Other events may contain the model's own words. */
function failedEvent(raw: string | undefined): unknown {
  try {
    const event: unknown = JSON.parse(raw ?? "")
    return CombinedEvent.failed(event) ? event : undefined
  } catch {
    return undefined
  }
}

export * as CombinedRunnerFailure from "./failure"
