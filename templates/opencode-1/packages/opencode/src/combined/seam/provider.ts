/** What the hooks in packages/opencode/src/provider/provider.ts call. */
export { wrap } from "../provider/catalogue"
export { clientKey, timeouts } from "../provider/timeouts"

export * as CombinedProvider from "./provider"
