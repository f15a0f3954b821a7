/** What follows from the user's providers and settings: what is combined, what it may cost, and what is wrong. Pure. */
import { CombinedConflicts } from "../conflicts"
import { check } from "../identity/options"
import { CombinedMistakes, type Mistake } from "../mistakes"
import { CombinedRules } from "../money/rules"
import { CombinedSettings } from "../settings"
import { CombinedListing, ID, type Catalogue, type Info, type Known as Listed, type Providers } from "./listing"

export type Examined = {
  readonly config: Info
  readonly catalogue: Catalogue
  readonly rules: CombinedRules.Rules
  /** The mistakes in a report. */
  readonly mistakes: readonly Mistake[]
  /** The mistakes that are reported at start. */
  readonly said: readonly Mistake[]
  /** Names in the settings that match nothing. */
  readonly unknown: readonly string[]
}

/** @param listed the catalogue of providers, connected or not */
export function of(providers: Providers, config: Info, listed: Listed): Examined {
  const catalogue = CombinedListing.combine(providers, config, listed)
  const rules = CombinedRules.of(providers, config, listed)
  const offers = CombinedListing.offers(providers)
  const ids = Object.keys(providers)
  const aboutAll = [
    ...CombinedMistakes.contradictions(config),
    ...CombinedMistakes.budgets(config),
    ...CombinedMistakes.prices(config, ids),
    ...rules.mistakes(chosenModels(config), (modelID) => {
      const found = CombinedListing.find(catalogue, modelID)
      return found && CombinedListing.chainOf(found, catalogue)
    }),
    ...CombinedConflicts.conflicts(config, {
      offers,
      members: (where) => CombinedListing.written(where, catalogue)?.members ?? [],
      isNever: rules.isNever,
    }),
  ]
  // Not part of a report: `config --check` finds mistakes in an agent's fallback by itself, with their lines, and a
  // report looks for all names (view/names.ts).
  const saidOnly = [...CombinedMistakes.fallbacks(config), ...CombinedMistakes.misspelt(config, ids)]
  const unknown = check(CombinedSettings.read(config), offers, () => CombinedListing.ids(catalogue)).filter(
    (text) => !CombinedConflicts.explains(config, text),
  )
  const named = (text: string) => CombinedMistakes.named(config, text)
  return {
    config,
    catalogue,
    rules,
    mistakes: [...aboutAll, ...unknown.map(named)],
    said: [...saidOnly, ...aboutAll, ...unknown.filter(isHere).map(named)],
    unknown,
  }
}

/**
 * Whether a mistake is about this machine. Without a similar name, the provider is probably connected on another one.
 */
function isHere(text: string) {
  const isElsewhere = /: no (provider|model) /.test(text) || text.startsWith("combined.exclude:")
  return !isElsewhere || text.includes(" Did you mean ")
}

/** Combined models that the user has chosen in the configuration, with their places. */
function chosenModels(config: Info) {
  const agents = Object.entries(config.agent ?? {}).map(([name, agent]) => ({
    path: ["agent", name, "model"],
    value: agent?.model,
  }))
  return [
    { path: ["model"], value: config.model },
    { path: ["small_model"], value: config.small_model },
    ...agents,
  ].flatMap(({ path, value }) =>
    value?.startsWith(`${ID}/`) ? [{ path, value, modelID: value.slice(ID.length + 1) }] : [],
  )
}

export * as CombinedExamined from "./examined"
