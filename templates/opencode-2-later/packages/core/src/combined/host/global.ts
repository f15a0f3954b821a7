/** Where upstream's files are, since v2.0.1. */
export { Global } from "@opencode/util/global"
