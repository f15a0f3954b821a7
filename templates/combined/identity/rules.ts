// The rules, ready for look-up. Maps and sets, because ids can be any text, even "constructor".
import { rules } from "./table"

export type Vendor = (typeof rules.vendors)[number]
export type Family = (typeof rules.families)[number]
export type Synonym = (typeof rules.synonyms)[number]

export const { schemes, vendors } = rules
export const regions = new Set(rules.regions)
export const places = new Map(Object.entries(rules.places))
export const repackers = new Set(rules.repackers)
export const abbreviations = new Map(Object.entries(rules.abbreviations))
export const prefixes = new Set(rules.prefixes)
export const classes = new Map(Object.entries(rules.classes))
export const endings = new Map(Object.entries(rules.endings).map(([word, names]) => [word, new Set(names)]))
export const vendorIDs = new Set(rules.vendor_ids)
export const organisations = new Map(Object.entries(rules.organisations))
export const anywhere = new Map(Object.entries(rules.anywhere))
export const rawAliases = new Map(Object.entries(rules.raw_aliases))
export const aliases = new Map(Object.entries(rules.aliases))
export const aliasStarts = new Set([...aliases.keys()].map((words) => words.split(" ", 1)[0]))
export const snapshots = new Map(Object.entries(rules.snapshots))
export const versions = new Map(Object.entries(rules.versions))
export const sizes = new Map(Object.entries(rules.sizes))
export const titles = new Map(Object.entries(rules.titles))
export const ownTiers = new Set(rules.own_tiers)
export const whole = new Set(rules.whole)
export const families = grouped(rules.families, (family) => family.words[0])
export const synonyms = grouped(rules.synonyms, (synonym) => synonym.words[0])
export const rolling = grouped(rules.rolling, (rule) => rule.family)

/** Entries by key, each list in the order of the entries. */
export function grouped<Entry>(entries: readonly Entry[], key: (entry: Entry) => string) {
  const found = new Map<string, Entry[]>()
  for (const entry of entries) {
    const name = key(entry)
    const same = found.get(name)
    if (same) same.push(entry)
    if (!same) found.set(name, [entry])
  }
  return found
}
