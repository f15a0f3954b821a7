/** What the hooks in packages/opencode/src/session/prompt.ts call. */
export { retractions } from "../driver/progress"
export { small } from "../provider/catalogue"
export { fit } from "../request/fit"

export * as CombinedSessionPrompt from "./prompt"
