/** Where upstream keeps its files: in OpenCode 1, and in OpenCode 2 up to v2.0.0. */
export { Global } from "@opencode-ai/core/global"
