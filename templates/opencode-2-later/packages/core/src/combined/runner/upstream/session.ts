/** Upstream's data about a session's steps, since v2.0.1. */
export { Money } from "@opencode/schema/money"

/** The time in the event that starts a step. */
export const starts = () => ({ started: Date.now() })
