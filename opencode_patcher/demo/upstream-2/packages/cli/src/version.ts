declare const OPENCODE_VERSION: string

export const version = typeof OPENCODE_VERSION === "string" ? OPENCODE_VERSION : "local"
