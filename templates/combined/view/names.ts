/**
 * Names in the settings that match nothing, in addition to those that identity/options.ts finds. Only checked on
 * demand. Pure.
 */
import { fits } from "../identity/grouping"
import { nearest } from "../identity/nearest"
import { lower, squash } from "../identity/scan"
import { CombinedMistakes } from "../mistakes"
import type { Info } from "../settings"

type Offer = { readonly providerID: string; readonly modelID: string }

export type Facts = {
  /** All models in the catalogue and the configuration, connected or not. */
  readonly listed: readonly Offer[]
  /** `ids`: the combined models. `alone`: the models that only one provider has, with that provider. */
  readonly ids: ReadonlySet<string>
  readonly alone: () => ReadonlyMap<string, string>
}

export function names(config: Info, facts: Facts): CombinedMistakes.Mistake[] {
  const providers = [...new Set(facts.listed.map((item) => item.providerID))]
  const texts = [
    ...lastResort(config, facts, providers),
    ...Object.entries(config.combined?.accounts ?? {})
      .filter(([, of]) => !providers.includes(of))
      .map(([id, of]) => `combined.accounts.${id}: no provider ${of}.${hint(of, providers)}`),
    ...Object.keys(config.combined?.windows?.providers ?? {})
      .filter((name) => !providers.some((id) => squash(id) === squash(name)))
      .map((name) => `combined.windows: ${name} is not a provider.${hint(name, providers)}`),
  ]
  return [...texts.map((text) => CombinedMistakes.named(config, text)), ...models(config, facts)]
}

function lastResort({ combined }: Info, { listed }: Facts, providers: readonly string[]) {
  const models = listed.map((item) => lower(`${item.providerID}/${item.modelID}`))
  return (combined?.last_resort ?? [])
    .filter((pattern) => {
      const known = pattern.includes("/") ? models : providers.map(lower)
      return !known.some((text) => fits(lower(pattern), text))
    })
    .map((pattern) => {
      const near = pattern.includes("/") ? "" : hint(pattern, providers)
      return `combined.last_resort: ${pattern} matches no provider and no model.${near}`
    })
}

/** Combined models that are chosen in a setting but do not exist. */
function models(config: Info, facts: Facts) {
  return chosen(config).flatMap(([path, value]) => {
    const id = value.slice("combined/".length)
    if (!value.startsWith("combined/") || facts.ids.has(id)) return []
    const only = facts.alone().get(id)
    const near = nearest(id, [...facts.ids])
    const text = only
      ? `${path.join(".")}: ${value} has too few providers to be combined; only ${only} has it.`
      : `${path.join(".")}: nothing is combined under the name ${value} for your providers.${near ? ` Did you mean combined/${near}?` : ""}`
    return [{ path, value, text }]
  })
}

function chosen(config: Info): [readonly string[], string][] {
  const whole = config as Readonly<Record<string, unknown>>
  const sections = ["agent", "command"].flatMap((key) =>
    Object.entries((whole[key] as Record<string, { model?: unknown } | undefined> | undefined) ?? {}).map(
      ([name, item]): [readonly string[], unknown] => [[key, name, "model"], item?.model],
    ),
  )
  const places: [readonly string[], unknown][] = [
    [["model"], whole.model],
    [["small_model"], whole.small_model],
    ...sections,
  ]
  return places.flatMap(([path, value]): [readonly string[], string][] =>
    typeof value === "string" ? [[path, value]] : [],
  )
}

function hint(name: string, known: readonly string[]) {
  const near = nearest(name, known)
  return near ? ` Did you mean ${near}?` : ""
}

export * as CombinedNames from "./names"
