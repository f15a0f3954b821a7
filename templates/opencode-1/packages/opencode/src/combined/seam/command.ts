/** What the hook in packages/opencode/src/index.ts adds. */
export { command } from "../command/command"

export * as CombinedCommand from "./command"
