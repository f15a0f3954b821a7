/**
 * While thinking is on, Claude needs the signed thinking of the current tool loop; otherwise it refuses the request. If
 * the thinking cannot be carried over, that one request is sent without thinking.
 */
import type { Provider } from "@/provider/provider"
import type { LLM } from "@/session/llm"
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { CombinedRoute } from "../provider/route"
import { CombinedSignature } from "./signature"
import { isSameModel, type Reader } from "./reader"

/** Options that switch thinking on, in the SDKs that serve Claude. */
const SWITCHES = ["thinking", "reasoningConfig", "reasoning", "reasoningEffort", "effort"]

export function reads(model: Provider.Model) {
  return model.api.id.toLowerCase().includes("claude")
}

/** The parts with each thinking block in the reader's form; undefined if the request must be sent without thinking. */
export function parts(all: readonly SessionV1.Part[], info: SessionV1.Assistant, reader: Reader) {
  const signed = !reader.refused && isSameModel(info, reader) ? translate(all, reader.model) : undefined
  const route = CombinedRoute.of(reader.model)
  if (!signed && route) route.state.unthinking = true
  return signed
}

function translate(parts: readonly SessionV1.Part[], model: Provider.Model): SessionV1.Part[] | undefined {
  const first = parts.find((part) => part.type === "reasoning" || part.type === "tool" || part.type === "text")
  if (first?.type !== "reasoning") return undefined
  const thoughts = parts.flatMap((part) => (part.type === "reasoning" ? [part] : []))
  const whole = thoughts.flatMap((part) => {
    const signed = CombinedSignature.read(part.metadata)
    return signed ? [{ text: part.text, signed }] : []
  })
  if (whole.length < thoughts.length) return undefined
  const made = new Map(thoughts.map(({ id }, index) => [id, CombinedSignature.write(model.api.npm, whole, index)]))
  if ([...made.values()].some((metadata) => !metadata)) return undefined
  return parts.map((part) => {
    if (part.type === "reasoning") return { ...part, metadata: made.get(part.id) }
    return part.type === "text" || part.type === "tool" ? { ...part, metadata: undefined } : part
  })
}

/** The request to send: without thinking if the history could not be carried over. */
export function silence(input: LLM.StreamInput): LLM.StreamInput {
  if (!CombinedRoute.of(input.model)?.state.unthinking) return input
  return {
    ...input,
    model: { ...input.model, options: quiet(input.model.options) },
    agent: { ...input.agent, options: quiet(input.agent.options) },
    user: { ...input.user, model: { ...input.user.model, variant: undefined } },
  }
}

function quiet<T extends Record<string, unknown>>(options: T): T {
  return Object.fromEntries(Object.entries(options).filter(([name]) => !SWITCHES.includes(name))) as T
}

export * as CombinedClaude from "./claude"
