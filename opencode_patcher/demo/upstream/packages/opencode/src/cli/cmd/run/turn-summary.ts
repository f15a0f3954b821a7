/** The line that ends a turn. */
import type { SessionV1 } from "@opencode-ai/core/v1/session"

type Providers = Record<string, { models: Record<string, { name: string }> }>

export function turnSummaryCommit(input: { agent: string; model: string; seconds: number }) {
  return `▣ ${input.agent} · ${input.model} · ${input.seconds.toFixed(1)}s`
}

export function messageTurnSummaryCommit(message: SessionV1.WithParts, providers: Providers) {
  const info = message.info
  if (info.role !== "assistant" || !info.time.completed) return
  const model = providers[info.providerID]?.models[info.modelID]?.name

  return turnSummaryCommit({
    agent: info.agent,
    model: model ?? info.modelID,
    seconds: (info.time.completed - info.time.created) / 1000,
  })
}
