/** Mistakes in the settings that OpenCode's schema does not refuse. Twin of opencode_patcher/models/settings.py. Pure. */
import { CombinedRules } from "./failure/rules"
import { nearest } from "./identity/nearest"
import { lower, squash } from "./identity/scan"
import { CombinedSchema } from "./schema"
import { CombinedSettings, type Info } from "./settings"
import { table, type Node } from "./settings-table"
import { isObject } from "./value"

/** A sentence about the value at a path of the configuration. */
export type Mistake = { readonly path: readonly string[]; readonly value: unknown; readonly text: string }

/** A sentence for each key that is not a setting and so does nothing. */
export function unknown(config: object): string[] {
  const keys = Object.keys(table.properties ?? {})
  return [
    ...Object.keys(config).flatMap((key) => {
      const near = keys.includes(key) ? "" : nearest(key, OURS)
      return near ? [`${key} is not a setting, so it does nothing. Did you mean ${near}?`] : []
    }),
    ...OURS.flatMap((key) => inside([key], (config as Record<string, unknown>)[key], table.properties?.[key])),
  ]
}

/** Mistakes in `agent.X.fallback`, also of an agent that has its own file. Upstream does not check this key. */
export function fallbacks(config: object): Mistake[] {
  return agents(config).flatMap(([agent, value]) => {
    const path = ["agent", agent, "fallback"]
    const wrong = CombinedSchema.wrong(fallbackOf(agent), value, CombinedSettings.FALLBACK)
    const texts = wrong.length
      ? wrong.map((text) => `${text.slice(0, -1)}, so nothing is asked after this agent's model.`)
      : inside(path, value, CombinedSettings.FALLBACK)
    return texts.map((text) => ({ path, value, text }))
  })
}

const GROUP = "combined.groups."

const fallbackOf = (agent: string) => `agent.${agent}.fallback`

/** The fallbacks of agents, unchecked: upstream accepts any key of an agent. */
function agents(config: object): [string, unknown][] {
  const { agent } = config as { readonly agent?: unknown }
  if (!isObject(agent)) return []
  return Object.entries(agent).flatMap(([name, own]): [string, unknown][] =>
    isObject(own) && own.fallback !== undefined ? [[name, own.fallback]] : [],
  )
}

const OURS = ["provider_priority", "combined"]

function inside(path: readonly string[], value: unknown, given: Node | undefined): string[] {
  const node = given && CombinedSchema.alternative(value, given)
  if (Array.isArray(value)) return value.flatMap((item, at) => inside([...path, String(at)], item, node?.items))
  if (typeof value !== "object" || value === null) return []
  return Object.entries(value).flatMap(([key, inner]) => {
    const known = node?.properties?.[key] ?? node?.additionalProperties
    if (known || !node?.properties) return inside([...path, key], inner, known || undefined)
    const near = nearest(key, Object.keys(node.properties))
    const text = `${[...path, key].join(".")} is not a setting, so it does nothing.`
    return [near ? `${text} Did you mean ${[...path, near].join(".")}?` : text]
  })
}

/** Caps that are never reached, and caps although there is nothing to spend. */
export function budgets({ combined = {} }: Info): Mistake[] {
  const { budget, metered, fallback } = combined
  const { session, day, providers = {} } = budget ?? {}
  const caps: [string[], number | undefined][] = [
    [["session"], session],
    ...Object.entries(providers).map(([id, cap]): [string[], number] => [["providers", id], cap]),
  ]
  const unreached = caps.flatMap(([path, cap]) => {
    if (cap === undefined || day === undefined || cap <= day) return []
    const text = `combined.budget: ${path.join(".")} (${cap}) is more than day (${day}), so it is never reached.`
    return [{ path: ["combined", "budget", ...path], value: cap, text }]
  })
  if (!budget || metered !== "never" || fallback !== undefined) return unreached
  const text = `combined.budget: with combined.metered "never" there is nothing to spend.`
  return [...unreached, { path: ["combined", "budget"], value: budget, text }]
}

/** Mistyped provider names in `price_class` and `budget.providers`. */
export function prices({ combined }: Info, known: readonly string[]): Mistake[] {
  const squashed = new Set(known.map(squash))
  const named = [
    ...Object.entries(combined?.price_class ?? {}).map(([name, value]) => ({ in: ["price_class"], name, value })),
    ...Object.entries(combined?.budget?.providers ?? {}).map(([name, value]) => ({
      in: ["budget", "providers"],
      name,
      value,
    })),
  ]
  return named.flatMap(({ in: keys, name, value }) => {
    const [provider] = name.split("/", 1)
    const near = provider.includes("*") || squashed.has(squash(provider)) ? "" : nearest(provider, known)
    const path = ["combined", ...keys]
    const text = `${path.join(".")}: ${provider} is not a provider. Did you mean ${near}?`
    return near ? [{ path: [...path, name], value, text }] : []
  })
}

/** Settings that contradict each other, and values that cannot be intended. */
export function contradictions({ combined = {} }: Info): Mistake[] {
  const { cooldown = {}, windows = {}, wait: waits } = combined
  const { min, max } = cooldown
  const shares: [string[], unknown][] = [
    [["windows", "threshold"], windows.threshold],
    ...Object.entries(windows.providers ?? {}).map(([id, value]): [string[], unknown] => [
      ["windows", "providers", id],
      value,
    ]),
  ]
  const times: [string[], unknown][] = [
    [["cooldown", "min"], min],
    [["cooldown", "max"], max],
    [["stickiness"], combined.stickiness],
  ]
  const about = (path: readonly string[], value: unknown, text: string): Mistake => ({
    path: ["combined", ...path],
    value,
    text: `combined.${path.join(".")}: ${text}`,
  })
  return [
    ...(min !== undefined && max !== undefined && min > max
      ? [
          {
            path: ["combined", "cooldown", "min"],
            value: min,
            text: `combined.cooldown: min (${min}) is more than max (${max}).`,
          },
        ]
      : []),
    ...times.flatMap(([path, value]) =>
      typeof value === "number" && value > 1 && value < SECOND
        ? [about(path, value, `${value} is in milliseconds. If you mean ${value} seconds, write ${value * SECOND}.`)]
        : [],
    ),
    ...(typeof waits === "object" && waits.quiet !== undefined && !CombinedSettings.hours(waits.quiet)
      ? [about(["wait", "quiet"], waits.quiet, `${waits.quiet} must be written like 23:00-07:00, so there are none.`)]
      : []),
    ...shares.flatMap(([path, value]) =>
      typeof value === "number" && value > 100
        ? [about(path, value, `${value} percent of a window are never used.`)]
        : [],
    ),
    ...(combined.failures ?? []).flatMap((row, index) => {
      const wrong = CombinedRules.problem(row)
      return wrong
        ? [{ ...about(["failures"], combined.failures, wrong), text: `combined.failures.${index}: ${wrong}` }]
        : []
    }),
  ]
}

/** A shorter time is probably a mistake, since all times are in milliseconds. 0 and 1 stand for none at all. */
const SECOND = 1000

/** Mistyped provider names. A name that is not close to a known one is probably connected on another machine. */
export function misspelt({ combined = {} }: Info, providers: readonly string[]): Mistake[] {
  const known = new Set(providers.flatMap((id) => [squash(id), lower(id)]))
  const given: [string[], string, unknown][] = [
    ...(combined.last_resort ?? [])
      .filter((name) => !/[/*]/.test(name))
      .map((name): [string[], string, unknown] => [["last_resort"], name, combined.last_resort]),
    ...Object.entries(combined.windows?.providers ?? {}).map(([name, value]): [string[], string, unknown] => [
      ["windows", "providers", name],
      name,
      value,
    ]),
    ...Object.entries(combined.accounts ?? {}).map(([id, name]): [string[], string, unknown] => [
      ["accounts", id],
      name,
      name,
    ]),
  ]
  return given.flatMap(([path, name, value]) => {
    const near = known.has(squash(name)) ? "" : nearest(name, providers)
    if (!near) return []
    const text = `combined.${path.join(".")}: no provider ${name}. Did you mean ${near}?`
    return [{ path: ["combined", ...path], value, text }]
  })
}

/** The mistake that a sentence is about; it starts with a key of the configuration and a colon. */
export function named(config: object, text: string): Mistake {
  const key = text.slice(0, text.indexOf(":"))
  const agent = agents(config).find(([name]) => fallbackOf(name) === key)?.[0]
  const group = key.startsWith(GROUP) ? ["combined", "groups", key.slice(GROUP.length)] : undefined
  const path = agent !== undefined ? ["agent", agent, "fallback"] : (group ?? key.split(".").slice(0, 2))
  const value = path.reduce<unknown>((inner, part) => (isObject(inner) ? inner[part] : undefined), config)
  return { path, value, text }
}

export * as CombinedMistakes from "./mistakes"
