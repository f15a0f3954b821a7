/** Where upstream keeps its files, since v2.0.1. */
export { Global } from "@opencode/util/global"
