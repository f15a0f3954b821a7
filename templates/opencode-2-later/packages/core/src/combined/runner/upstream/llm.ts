/** Upstream's package for requests, since v2.0.1. opencode-2-earlier has the same file for earlier releases. */
import {
  AIError,
  GenerationOptions,
  HttpOptions,
  InvalidRequestError,
  LLMEvent,
  LLMRequest,
  isRetryable,
  type LanguageModel,
} from "@opencode/ai"
import type { SessionRunnerModel } from "../../../session/runner/model.js"

export { CombinedHeard } from "@opencode/ai/combined/heard"
export {
  AIError as LLMError,
  GenerationOptions,
  LLMEvent,
  LLMRequest,
  LLMResponse,
  Usage,
  isContextOverflowFailure,
} from "@opencode/ai"
export type { LanguageModel as Model, ProviderErrorEvent } from "@opencode/ai"

/**
 * The error of a request that we end. Upstream repeats requests that failed for an unknown reason, but no invalid ones.
 */
export const failed = (message: string) => new AIError({ reason: new InvalidRequestError({ message }) })

/** The error of a conversation that is too long, as if the provider had refused it. */
export const overflow = (message: string) =>
  new AIError({ reason: new InvalidRequestError({ message, classification: "context-overflow" }) })

/**
 * The error as upstream shows it, but in a form that upstream neither retries with the same provider nor continues
 * from.
 */
export const settled = (error: AIError) =>
  isRetryable(error) || error.reason._tag === "Transport" ? failed(error.reason.message) : error

/** What the provider answered, and the event that ended its answer. */
export function details({ reason }: AIError) {
  const { http, body } = reason
  const refused = http !== undefined && http.status >= 400
  return {
    status: refused ? http.status : undefined,
    headers: refused ? http.headers : undefined,
    body: refused ? body : undefined,
    code: reason._tag === "Transport" ? reason.code : undefined,
    event: refused ? undefined : body,
  }
}

/** Whether upstream says that the connection was closed before the answer ended. */
export const isWithoutEnd = ({ reason }: AIError) =>
  reason._tag === "InvalidProviderOutput" && reason.classification === "incomplete-stream"

/** Why a step of an answer ended. */
export const finishOf = (event: Extract<LLMEvent, { type: "step-finish" }>) => event.reason.normalized

/** The events that end a whole answer. */
export const stop = (): readonly LLMEvent[] => [
  LLMEvent.stepFinish({ index: 0, reason: { normalized: "stop" } }),
  LLMEvent.finish({ reason: { normalized: "stop" } }),
]

/** An event of an answer that is believed to be whole. Upstream refuses an answer with an unknown finish reason. */
export const believed = (event: LLMEvent): LLMEvent =>
  (event.type === "step-finish" || event.type === "finish") && event.reason.normalized === "unknown"
    ? { ...event, reason: { ...event.reason, normalized: "stop" } }
    : event

/** Whether an event has content of a kind that only some versions of upstream know. */
export const shows = (event: LLMEvent) => event.type === "media"

/** Whether a model reads signed thinking. */
export const readsSigned = ({ route }: LanguageModel) => route.protocol === "anthropic-messages"

/** The request to such a model, without thinking. */
export const unthinking = (request: LLMRequest) =>
  LLMRequest.update(request, { providerOptions: { ...request.providerOptions, thinking: { type: "disabled" } } })

/** The headers that upstream sends to every provider. Plugins add others, which are meant for one provider only. */
const COMMON = /^(x-opencode-|x-session-|x-parent-session-|user-agent$)/i

/** The same request, to another provider's model. */
export function sentTo(request: LLMRequest, { model, limit }: SessionRunnerModel.Resolved) {
  const headers = Object.entries(request.http?.headers ?? {}).filter(([name]) => COMMON.test(name))
  const { maxTokens } = request.generation ?? {}
  const fitting = maxTokens === undefined || limit.output <= 0 ? maxTokens : Math.min(maxTokens, limit.output)
  return LLMRequest.update(request, {
    model,
    http: new HttpOptions({ headers: Object.fromEntries(headers) }),
    generation: GenerationOptions.make({ ...request.generation, maxTokens: fitting }),
  })
}
