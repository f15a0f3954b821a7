/** What the hooks in packages/opencode/src/cli/cmd/run.ts call. */
export { announced, changed } from "../turn/notice"

export * as CombinedRun from "./run"
