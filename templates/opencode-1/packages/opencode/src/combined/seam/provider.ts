/** What the hooks in packages/opencode/src/provider/provider.ts call. */
export { accounts } from "../provider/accounts"
export { wrap } from "../provider/catalogue"
export { clientKey, timeouts } from "../provider/timeouts"

export * as CombinedProvider from "./provider"
