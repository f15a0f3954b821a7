/** The feature's part of opencode.json, for the session runner, which drops unknown keys when it reads that file. */
import { readFileSync, statSync } from "fs"
import { Effect } from "effect"
import { parse } from "jsonc-parser"
import type { Config } from "../../config"
import { CombinedSchema } from "../schema"
import type { CombinedSettings } from "../settings"
import { table } from "../settings-table"
import { isObject } from "../value"

type Source = {
  readonly file: string
  /** The whole content of the file. */
  readonly text: unknown
  readonly settings: CombinedSettings.Info
  /** Values of ours that have the wrong form. If there are any, none of our settings in this file count. */
  readonly wrong: readonly string[]
}

/** The files that upstream has found, in its order. */
export const sources = Effect.fn("CombinedRunnerSettings.sources")(function* (config: Config.Interface) {
  const files = (yield* config.entries()).flatMap((entry) =>
    entry.type === "document" && entry.path !== undefined ? [entry.path] : [],
  )
  return files.map(source)
})

/** The settings of all files; the later file wins. */
export const read = (config: Config.Interface) =>
  Effect.map(sources(config), (found) => found.map(({ settings }) => settings).reduce(joined, {}))

/** The settings of two files; the second one wins. */
function joined(all: CombinedSettings.Info, { provider_priority, combined, agent }: CombinedSettings.Info) {
  const own = Object.entries(agent ?? {}).map(([name, said]) => [name, { ...all.agent?.[name], ...said }] as const)
  return {
    provider_priority: provider_priority ?? all.provider_priority,
    combined: { ...all.combined, ...combined, groups: { ...all.combined?.groups, ...combined?.groups } },
    agent: { ...all.agent, ...Object.fromEntries(own) },
  }
}

const cache = new Map<string, Source & { readonly stamp: string }>()

function source(file: string): Source {
  try {
    const { ino, mtimeMs, size } = statSync(file)
    const stamp = [ino, mtimeMs, size].join(":")
    const known = cache.get(file)
    if (known?.stamp === stamp) return known
    const text: unknown = parse(readFileSync(file, "utf8"), [], { allowTrailingComma: true })
    const wrong = isObject(text) ? OURS.flatMap((key) => misshapen(key, text[key])) : []
    const made = { file, stamp, text, settings: isObject(text) && !wrong.length ? settingsOf(text) : {}, wrong }
    cache.set(file, made)
    return made
  } catch {
    return { file, text: undefined, settings: {}, wrong: [] }
  }
}

const OURS = ["provider_priority", "combined"] as const

const misshapen = (key: (typeof OURS)[number], value: unknown) =>
  value === undefined ? [] : CombinedSchema.wrong(key, value, table.properties?.[key] ?? {})

/** The feature's part of a file. Of an agent's settings only `fallback` is ours. In OpenCode 2 the key is `agents`. */
function settingsOf(text: Record<string, unknown>): CombinedSettings.Info {
  const { provider_priority, combined } = text as CombinedSettings.Info
  const agents = [text.agent, text.agents].filter(isObject).flatMap(Object.entries<unknown>)
  const agent = agents.flatMap(([name, said]) =>
    isObject(said) && said.fallback !== undefined ? [[name, { fallback: said.fallback }] as const] : [],
  )
  return {
    ...(provider_priority !== undefined && { provider_priority }),
    ...(combined !== undefined && { combined }),
    ...(agent.length > 0 && { agent: Object.fromEntries(agent) }),
  }
}

export * as CombinedRunnerSettings from "./settings"
