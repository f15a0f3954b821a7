/** Upstream's package of requests, as it is since v2.0.1. opencode-2-earlier has the same for the releases before. */
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
 * The error with which a request ends if we end it. Upstream repeats requests that failed for a reason it does not
 * know, and none that was invalid.
 */
export const failed = (message: string) => new AIError({ reason: new InvalidRequestError({ message }) })

/** As if the provider had refused a conversation that is too long. */
export const overflow = (message: string) =>
  new AIError({ reason: new InvalidRequestError({ message, classification: "context-overflow" }) })

/** The error as upstream shows it, without the wish to ask the same provider again, or to have it go on. */
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

/** How upstream says that a connection was closed before the answer had an end. */
export const isWithoutEnd = ({ reason }: AIError) =>
  reason._tag === "InvalidProviderOutput" && reason.classification === "incomplete-stream"

/** Why a step of an answer has ended. */
export const finishOf = (event: Extract<LLMEvent, { type: "step-finish" }>) => event.reason.normalized

/** The end of a whole answer. */
export const stop = (): readonly LLMEvent[] => [
  LLMEvent.stepFinish({ index: 0, reason: { normalized: "stop" } }),
  LLMEvent.finish({ reason: { normalized: "stop" } }),
]

/** An event of an answer that is believed to be whole. Upstream refuses an answer whose end it does not know. */
export const believed = (event: LLMEvent): LLMEvent =>
  (event.type === "step-finish" || event.type === "finish") && event.reason.normalized === "unknown"
    ? { ...event, reason: { ...event.reason, normalized: "stop" } }
    : event

/** Whether an event has content, of a kind that only some states of upstream know. */
export const shows = (event: LLMEvent) => event.type === "media"

/** Whether a model reads thinking that is signed. */
export const readsSigned = ({ route }: LanguageModel) => route.protocol === "anthropic-messages"

/** A request to such a model, made without thinking. */
export const unthinking = (request: LLMRequest) =>
  LLMRequest.update(request, { providerOptions: { ...request.providerOptions, thinking: { type: "disabled" } } })

/** The headers that upstream sends to every provider. Plugins add others, which are for one provider only. */
const COMMON = /^(x-opencode-|x-session-|x-parent-session-|user-agent$)/i

/** The same request to a model of another provider. */
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
