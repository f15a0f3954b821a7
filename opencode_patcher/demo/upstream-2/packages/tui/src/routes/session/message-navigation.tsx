import type { SessionMessage } from "@opencode-ai/core/session/message"

/** Lines that are kept free above and below a message. */
export const messageNavigationSlack = 1

/** Where the last message begins. */
export const findMessageBoundary = (messages: readonly SessionMessage.Assistant[]) => Math.max(messages.length - 1, 0)
