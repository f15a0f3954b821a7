/** Mistakes in the settings that OpenCode's schema does not refuse. Twin of opencode_patcher/models/settings.py. Pure. */
import { nearest } from "./identity/nearest"
import type { Info } from "./settings"
import { table, type Node } from "./settings-table"

/** A sentence about the value at a path of the configuration. */
export type Mistake = { readonly path: readonly string[]; readonly value: unknown; readonly text: string }

/** A sentence for each key that is not a setting, and so does nothing. */
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

const OURS = ["provider_priority", "combined"]

function inside(path: readonly string[], value: unknown, node: Node | undefined): string[] {
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

/** Settings that contradict each other. */
export function contradictions({ combined }: Info): Mistake[] {
  const { min, max } = combined?.cooldown ?? {}
  if (min === undefined || max === undefined || min <= max) return []
  const text = `combined.cooldown: min (${min}) is more than max (${max}).`
  return [{ path: ["combined", "cooldown", "min"], value: min, text }]
}

/** What a sentence is about that begins with a key of the configuration and a colon. */
export function named(config: object, text: string): Mistake {
  const key = text.slice(0, text.indexOf(":"))
  const top = [...OURS, "agent"].find((one) => key === one || key.startsWith(one + ".")) ?? key
  const path =
    key === top
      ? [top]
      : [
          top,
          ...key
            .slice(top.length + 1)
            .split(".")
            .slice(0, 1),
        ]
  const value = path.reduce<unknown>((inner, part) => (inner as Record<string, unknown> | undefined)?.[part], config)
  return { path, value, text }
}

export * as CombinedMistakes from "./mistakes"
