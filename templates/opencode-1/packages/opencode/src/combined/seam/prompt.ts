/** What the hooks in packages/opencode/src/session/prompt.ts call. */
export { small } from "../provider/catalogue"
export { forget as cancelled } from "../host/waits"
export { fit, retractions } from "../request/fit"

export * as CombinedSessionPrompt from "./prompt"
