/** The tokens that a provider has reported for an answer, in upstream's form. */
import { Usage } from "@opencode-ai/llm"
import { CombinedReported } from "../money/reported"

/** The tokens after one more event of the provider. */
export function add(before: Usage | undefined, raw: unknown): Usage | undefined {
  const found = CombinedReported.add(before, raw)
  return found ? new Usage(found) : before
}

export * as CombinedUsage from "./usage"
