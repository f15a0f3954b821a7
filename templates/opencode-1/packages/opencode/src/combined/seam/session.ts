/** What the hook in packages/opencode/src/server/routes/instance/httpapi/handlers/session.ts calls. */
export { resume } from "../driver/resume"

export * as CombinedSession from "./session"
