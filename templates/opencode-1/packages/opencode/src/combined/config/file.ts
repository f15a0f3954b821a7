/**
 * The files for our settings, `combined.json` and `combined.jsonc`. A stock OpenCode does not read them.
 *
 * Each is read right after the opencode.json of the same directory. So the order among upstream's files holds here too,
 * and within a directory combined.json wins over opencode.json.
 */
import { ConfigParse } from "@/config/parse"
import { Schema } from "effect"
import path from "path"
import { CombinedMistakes } from "../mistakes"
import { CombinedOrigin } from "./origin"
import { CombinedSay } from "./say"

export const OWN = ["combined.json", "combined.jsonc"]

/** The files that are read in a directory, in this order; the later file wins. */
export const NAMES = ["opencode.json", "opencode.jsonc", ...OWN]

/** The keys that such a file may have. `model` is among them because a stock OpenCode does not know combined models. */
const KEYS = ["$schema", "provider_priority", "combined", "model", "small_model"] as const

/** The file names that upstream looks for in each of the project's directories. Upstream reverses the list. */
export function targets(name: string) {
  return [...(name === "opencode" ? OWN.toReversed() : []), `${name}.jsonc`, `${name}.json`]
}

/** The file that the user names in OPENCODE_COMBINED. It ranks like the one in OPENCODE_CONFIG. */
export function chosen() {
  const file = process.env["OPENCODE_COMBINED"]
  return file ? [path.resolve(file)] : []
}

export function owns(file: string) {
  return OWN.includes(path.basename(file)) || chosen().includes(file)
}

/**
 * Whether this process only reads, for a tool that asks about the user's settings. Otherwise upstream adds its schema
 * to a file that has none, and writes the file.
 */
export const isLooking = () => Boolean(process.env["OPENCODE_COMBINED_LOOK"])

const SCHEMA = "https://opencode.ai/config.json"

/** The part of a file of ours that goes into the configuration. */
export function only<Info extends object>(info: Info): Info {
  return Object.fromEntries(Object.entries(info).filter(([key]) => key !== "$schema")) as Info
}

/**
 * Examines a configuration before upstream checks it. A mistake in a file of ours has the same effect as one in
 * opencode.json: OpenCode does not start. The mistake may concern money or privacy, so starting without the file would
 * be worse.
 */
export function examine(parsed: unknown, source: string) {
  if (typeof parsed !== "object" || parsed === null || Array.isArray(parsed)) return
  CombinedOrigin.remember(source, parsed)
  if (isLooking()) Object.assign(parsed, { $schema: "$schema" in parsed ? parsed.$schema : SCHEMA })
  for (const text of CombinedMistakes.unknown(parsed)) CombinedSay.say(`${source}: ${text}`)
  if (!owns(source)) return
  const others = Object.keys(parsed).filter((key) => !KEYS.some((known) => known === key))
  if (!others.length) return
  const text = `Only ${KEYS.slice(1).join(", ")} may be in this file, not ${others.join(", ")}; move it to opencode.json`
  ConfigParse.schema(Schema.Unknown.check(Schema.makeFilter(() => text)), parsed, source)
}

/** Reports a mistake that only shows in the whole configuration, and names the file that has the key. */
export function report(mistake: CombinedMistakes.Mistake) {
  const source = CombinedOrigin.of(mistake.path, mistake.value)
  CombinedSay.say((source ? `${source}: ` : "") + mistake.text)
}

export * as CombinedFile from "./file"
