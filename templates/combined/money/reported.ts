/**
 * The tokens that a provider reports during an answer. OpenCode only gets them at the end of an answer, so for one that
 * is cut off they would be lost. But the provider's own events have them, each with everything known so far.
 */
import { isObject } from "../value"

/** As in OpenCode's own usage, the input includes tokens from a cache, and the output the reasoning. */
export type Counts = {
  readonly inputTokens?: number
  readonly outputTokens?: number
  readonly reasoningTokens?: number
  readonly cacheReadInputTokens?: number
  readonly cacheWriteInputTokens?: number
}

/** The tokens after one more event of the provider; undefined if the event does not mention any. */
export function add(before: Counts | undefined, raw: unknown): Counts | undefined {
  const found = read(raw)
  if (!found) return undefined
  return {
    inputTokens: found.inputTokens ?? before?.inputTokens,
    outputTokens: found.outputTokens ?? before?.outputTokens,
    reasoningTokens: found.reasoningTokens ?? before?.reasoningTokens,
    cacheReadInputTokens: found.cacheReadInputTokens ?? before?.cacheReadInputTokens,
    cacheWriteInputTokens: found.cacheWriteInputTokens ?? before?.cacheWriteInputTokens,
  }
}

function read(raw: unknown): Counts | undefined {
  if (!isObject(raw)) return undefined
  const { message, response, usage, usageMetadata } = raw
  if (isObject(message) && isObject(message.usage)) return messages(message.usage)
  if (isObject(response) && isObject(response.usage)) return openai(response.usage, "input", "output")
  if (isObject(usageMetadata)) return gemini(usageMetadata)
  if (!isObject(usage)) return undefined
  return usage.prompt_tokens === undefined ? messages(usage) : openai(usage, "prompt", "completion")
}

/**
 * https://docs.anthropic.com/en/docs/build-with-claude/streaming: the first event has the input, each has the output.
 */
function messages(usage: Record<string, unknown>): Counts {
  const cached = number(usage.cache_read_input_tokens)
  const written = number(usage.cache_creation_input_tokens)
  const input = number(usage.input_tokens)
  return {
    inputTokens: input === undefined ? undefined : input + (cached ?? 0) + (written ?? 0),
    outputTokens: number(usage.output_tokens),
    cacheReadInputTokens: cached,
    cacheWriteInputTokens: written,
  }
}

/**
 * https://platform.openai.com/docs/api-reference/chat-streaming: at the end; compatible servers may report them in each
 * event. https://platform.openai.com/docs/api-reference/responses-streaming: also for an answer that failed or is
 * incomplete. Both have the same numbers under different names.
 */
function openai(usage: Record<string, unknown>, input: "prompt" | "input", output: "completion" | "output"): Counts {
  return {
    inputTokens: number(usage[`${input}_tokens`]),
    outputTokens: number(usage[`${output}_tokens`]),
    reasoningTokens: number(inside(usage[`${output}_tokens_details`], "reasoning_tokens")),
    cacheReadInputTokens: number(inside(usage[`${input}_tokens_details`], "cached_tokens")),
  }
}

/** https://ai.google.dev/api/generate-content#UsageMetadata: in each event. */
function gemini(usage: Record<string, unknown>): Counts {
  const reasoning = number(usage.thoughtsTokenCount)
  const visible = number(usage.candidatesTokenCount)
  return {
    inputTokens: number(usage.promptTokenCount),
    outputTokens: visible === undefined && reasoning === undefined ? undefined : (visible ?? 0) + (reasoning ?? 0),
    reasoningTokens: reasoning,
    cacheReadInputTokens: number(usage.cachedContentTokenCount),
  }
}

const inside = (value: unknown, key: string) => (isObject(value) ? value[key] : undefined)

const number = (value: unknown) => (typeof value === "number" && Number.isFinite(value) ? value : undefined)

export * as CombinedReported from "./reported"
