/** The tokens that a provider has reported of an answer, as upstream has them. */
import { Usage } from "@opencode-ai/llm"
import { CombinedReported } from "../money/reported"

/** The tokens after one more event of the provider. */
export function add(before: Usage | undefined, raw: unknown): Usage | undefined {
  const found = CombinedReported.add(before, raw)
  return found ? new Usage(found) : before
}

export * as CombinedUsage from "./usage"
