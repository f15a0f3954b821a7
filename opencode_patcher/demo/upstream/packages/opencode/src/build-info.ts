/** What the build wrote into the program. */
declare const OPENCODE_VERSION: string
declare const OPENCODE_CHANNEL: string

export const version = typeof OPENCODE_VERSION === "string" ? OPENCODE_VERSION : "local"
export const channel = typeof OPENCODE_CHANNEL === "string" ? OPENCODE_CHANNEL : "local"

export * as BuildInfo from "./build-info"
