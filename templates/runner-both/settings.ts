/**
 * The feature's part of opencode.json, for the new session runner, which drops unknown keys when it reads that file.
 */
import { readFileSync, statSync } from "fs"
import { Effect } from "effect"
import { parse } from "jsonc-parser"
import type { Config } from "../../config"
import type { CombinedSettings } from "../settings"

/** Read from the files that upstream has found, in its order; the later one wins. */
export const read = Effect.fn("CombinedRunnerSettings.read")(function* (config: Config.Interface) {
  const files = (yield* config.entries()).flatMap((entry) =>
    entry.type === "document" && entry.path !== undefined ? [entry.path] : [],
  )
  return files.map(part).reduce<CombinedSettings.Info>(
    (all, { provider_priority = all.provider_priority, combined }) => ({
      ...(provider_priority !== undefined && { provider_priority }),
      combined: { ...all.combined, ...combined, groups: { ...all.combined?.groups, ...combined?.groups } },
    }),
    {},
  )
})

const cache = new Map<string, { readonly stamp: string; readonly part: CombinedSettings.Info }>()

/** If these keys were invalid, upstream would have refused the whole file, so they are not checked here. */
function part(file: string): CombinedSettings.Info {
  try {
    const { ino, mtimeMs, size } = statSync(file)
    const stamp = [ino, mtimeMs, size].join(":")
    const known = cache.get(file)
    if (known?.stamp === stamp) return known.part
    const text: unknown = parse(readFileSync(file, "utf8"), [], { allowTrailingComma: true })
    const found = typeof text === "object" && text !== null ? (text as CombinedSettings.Info) : {}
    const made = { provider_priority: found.provider_priority, combined: found.combined }
    cache.set(file, { stamp, part: made })
    return made
  } catch {
    return {}
  }
}

export * as CombinedRunnerSettings from "./settings"
