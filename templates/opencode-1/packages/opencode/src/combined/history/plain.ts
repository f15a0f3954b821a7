/** The parts of an answer that any other provider may get. */
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { CombinedThoughts } from "./thoughts"

/**
 * The parts without what belongs to the provider that made them: signatures, encrypted thoughts, ids of stored items.
 */
export function plain(parts: readonly SessionV1.Part[], way: CombinedThoughts.Way): SessionV1.Part[] {
  const texts = parts.flatMap((part) => (part.type === "reasoning" && part.text.trim() ? [part.text] : []))
  const first = parts.find((part) => part.type === "reasoning" && part.text.trim())
  return parts.flatMap((part): SessionV1.Part[] => {
    if (part.type === "text") return [{ ...part, metadata: undefined }]
    // A tool that another provider ran itself is a normal tool for this one.
    if (part.type === "tool") return [{ ...part, metadata: undefined }]
    if (part.type !== "reasoning") return [part]
    if (way === "none" || !part.text.trim()) return []
    return [{ ...part, metadata: way === "details" && part === first ? CombinedThoughts.details(texts) : undefined }]
  })
}

export * as CombinedPlain from "./plain"
