/** What the hook in packages/opencode/src/session/message-v2.ts calls. */
export { rebuild } from "../history/rebuild"

export * as CombinedMessageV2 from "./message-v2"
