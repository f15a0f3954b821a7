/** What upstream says of a session's steps, as it is until v2.0.0. */
export { Money } from "@opencode-ai/schema/money"

/** What an event that starts a step says of its time. */
export const starts = () => ({})
