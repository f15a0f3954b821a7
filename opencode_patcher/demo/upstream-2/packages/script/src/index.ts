/** What a build is told by its environment. */
import root from "../../../package.json"

const required = root.packageManager.replace("bun@", "")

if (!Bun.semver.satisfies(Bun.version, `^${required}`)) {
  throw new Error(`This build needs bun ^${required}, this is ${Bun.version}`)
}

export const Script = {
  version: process.env.OPENCODE_VERSION ?? `0.0.0-${Date.now()}`,
  channel: process.env.OPENCODE_CHANNEL ?? "local",
}
