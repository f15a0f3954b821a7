/** What the hooks in packages/opencode/src/server/routes/instance/httpapi/server.ts call. */
export { combinedHandlers } from "../server/handlers"

export * as CombinedServer from "./server"
