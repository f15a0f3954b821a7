export * as ConfigPaths from "./paths"

import fs from "fs"
import path from "path"
import { Effect } from "effect"

function up(options: { targets: string[]; start: string }): string[] {
  const here = options.targets.map((name) => path.join(options.start, name)).filter((file) => fs.existsSync(file))
  const above = path.dirname(options.start)
  const top = above === options.start || fs.existsSync(path.join(options.start, ".git"))
  return top ? here : [...here, ...up({ targets: options.targets, start: above })]
}

/** The project's files, the nearest one last. */
export const files = Effect.fn("ConfigPaths.files")(function* (name: string, directory: string) {
  return up({
    targets: [`${name}.jsonc`, `${name}.json`],
    start: directory,
  }).toReversed()
})
