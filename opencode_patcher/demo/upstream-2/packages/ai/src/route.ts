export { Auth } from "./route/auth"
export type { Route } from "./route/client"
