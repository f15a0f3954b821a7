/** What the hook in packages/opencode/src/server/routes/instance/httpapi/api.ts calls. */
export { CombinedApi } from "../server/group"

export * as CombinedServerApi from "./server-api"
