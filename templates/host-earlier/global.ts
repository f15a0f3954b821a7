/** Where upstream's files are: in OpenCode 1, and in OpenCode 2 until v2.0.0. */
export { Global } from "@opencode-ai/core/global"
