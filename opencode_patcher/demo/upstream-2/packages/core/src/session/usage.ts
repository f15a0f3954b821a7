export * as SessionUsage from "./usage"

import type { Usage } from "@opencode-ai/ai"
import { Money } from "@opencode-ai/schema/money"
import type { TokenUsage } from "@opencode-ai/schema/token-usage"
import type { ModelV2 } from "../model"

export type Recorded = { readonly tokens: TokenUsage.Info; readonly cost: Money.USD }

export const tokens = (usage: Usage | undefined): TokenUsage.Info => ({
  input: usage?.nonCachedInputTokens ?? 0,
  output: usage?.visibleOutputTokens ?? 0,
  reasoning: usage?.reasoningTokens ?? 0,
  cache: { read: usage?.cacheReadInputTokens ?? 0, write: usage?.cacheWriteInputTokens ?? 0 },
})

export function calculateCost(costs: ModelV2.Info["cost"], { input, output, reasoning, cache }: TokenUsage.Info) {
  const price = costs.find(({ tier }) => tier === undefined)
  if (!price) return Money.USD.zero
  const cached = cache.read * price.cache.read + cache.write * price.cache.write
  return Money.USD.make((input * price.input + (output + reasoning) * price.output + cached) / 1_000_000)
}

export function record(usage: Usage | undefined, costs: ModelV2.Info["cost"]): Recorded {
  const found = tokens(usage)
  return { tokens: found, cost: calculateCost(costs, found) }
}
