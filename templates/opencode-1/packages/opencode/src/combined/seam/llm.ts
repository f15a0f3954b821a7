/** What the hooks in packages/opencode/src/session/llm.ts call. */
export { wrap } from "../whole/title"

export * as CombinedLLM from "./llm"
