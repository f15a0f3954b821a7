/** A note that is shown once per machine, before a conversation can go to a second company. */
import { Global } from "@opencode-ai/core/global"
import { writeFile } from "fs/promises"
import path from "path"
import { CombinedFile } from "./file"
import { CombinedSay } from "./say"

/**
 * Marks that the note was shown. If the file cannot be written, the note is not shown: it would return at every start.
 */
const FILE = path.join(Global.Path.state, "combined-welcome")

const TEXT =
  "Combined models: when a provider fails, the whole conversation goes to the next one, a company with its own terms. Free offers are asked only if you name their provider. To see who they are: opencode combined"

/** If several processes start together, only one shows the note. */
export async function once() {
  if (CombinedFile.isLooking()) return
  const isFirst = await writeFile(FILE, "", { flag: "wx" }).then(
    () => true,
    () => false,
  )
  if (isFirst) CombinedSay.say(TEXT, "info")
}

export * as CombinedWelcome from "./welcome"
