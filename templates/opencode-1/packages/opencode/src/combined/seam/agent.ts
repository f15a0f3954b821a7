/** What the hooks in packages/opencode/src/agent/agent.ts call. */
export { fn } from "../whole/agent"

export * as CombinedAgent from "./agent"
