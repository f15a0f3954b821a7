/** Upstream's data about a session's steps, up to v2.0.0. */
export { Money } from "@opencode-ai/schema/money"

/** The time in the event that starts a step; there is none up to v2.0.0. */
export const starts = () => ({})
