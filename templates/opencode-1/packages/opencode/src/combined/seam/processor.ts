/** What the hooks in packages/opencode/src/session/processor.ts call. */
export { settle } from "../driver/retraction"
export { begin } from "../driver/snapshot"
export { guard, stream } from "../driver/turn"

export * as CombinedSessionProcessor from "./processor"
