/** What is said once on a machine, before a conversation goes to a second company. */
import { Global } from "@opencode-ai/core/global"
import { writeFile } from "fs/promises"
import path from "path"
import { CombinedFile } from "./file"
import { CombinedSay } from "./say"

/** That it was said. Where it cannot be written, nothing is: otherwise it would be said at every start. */
const FILE = path.join(Global.Path.state, "combined-welcome")

const TEXT =
  "Combined models: when a provider fails, the whole conversation goes to the next one, a company with its own terms. Free offers are asked only if you name their provider. To see who they are: opencode combined"

/** Of processes that start together, one says it. */
export async function once() {
  if (CombinedFile.isLooking()) return
  const isFirst = await writeFile(FILE, "", { flag: "wx" }).then(
    () => true,
    () => false,
  )
  if (isFirst) CombinedSay.say(TEXT, "info")
}

export * as CombinedWelcome from "./welcome"
