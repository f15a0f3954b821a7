/** What upstream's config/config.ts and config/paths.ts call. */
export { chosen, examine, isLooking, NAMES, only, OWN, owns, targets } from "../config/file"

export * as CombinedConfig from "./config"
