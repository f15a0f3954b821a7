/** What upstream says of a session's steps, as it is since v2.0.1. */
export { Money } from "@opencode/schema/money"

/** What an event that starts a step says of its time. */
export const starts = () => ({ started: Date.now() })
