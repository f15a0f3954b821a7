// Reduces an id to the words of the model's own name: without wrappers, organisation, region and prefixes, and with one
// wording for synonyms.
//
// words.py in opencode-patcher is the same in Python; the two agree on every input.
import { isNumber, lower, scan, squash } from "./scan"
import {
  anywhere,
  classes,
  families,
  organisations,
  places,
  prefixes,
  rawAliases,
  regions,
  schemes,
  synonyms,
  titles,
  vendors,
  whole,
  type Family,
  type Synonym,
} from "./rules"

export const ACTIVE = /^a[0-9]+(?:\.[0-9]+)?b$/
const LETTER_VERSION = /^[a-z][0-9]/
// The most words to drop in front of a family.
const PREFIX_WORDS = 4
// The most words followed by a dot to remove: Bedrock writes a region and a vendor.
const DOTTED_WORDS = 4
// Words that a display name has to repeat: those without a class, and those whose class depends on their position.
const MUST_SAY = new Set<string | undefined>([undefined, "effort", "quantised-tail"])
// A word that a title may add, or something that could be a date.
const MONTHS = ["jan", "feb", "apr", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
const ADDS = new RegExp([...titles.keys(), ...MONTHS, "[0-9]{3}", "[0-9]{2}[^0-9a-z]+[0-9]{2}"].join("|"))

export type Located = {
  text: string
  places: readonly string[]
  organisation: string
  region: string
  confidential: boolean
}

/** Removes wrappers, places, organisation and region; `text` is the model's own name. */
export function locate(modelID: string): Located {
  let id = lower(modelID)
  for (const scheme of schemes) if (id.startsWith(scheme)) id = id.slice(scheme.length)
  const segments = id.split("/")
  const found: string[] = []
  let text = segments.pop() ?? ""
  let organisation = ""
  let region = ""
  let confidential = false
  for (const segment of segments) {
    // nano-gpt writes "TheDrummer 2/…" to distinguish two hosts of one organisation.
    const name = squash(segment.split(" ", 1)[0])
    const place = places.get(name)
    if (place !== undefined) {
      found.push(name)
      confidential = confidential || place
      continue
    }
    organisation = organisation || name
  }
  for (let count = 0; count < DOTTED_WORDS && !rawAliases.has(text); count++) {
    const dot = text.indexOf(".")
    if (dot <= 0) break
    const head = text.slice(0, dot)
    const code = text.charCodeAt(dot + 1)
    const isRegion = regions.has(head)
    if (!isRegion && !(code >= 97 && code <= 122 && organisations.has(squash(head)))) break
    if (isRegion) region = head
    if (!isRegion) organisation = organisation || squash(head)
    text = text.slice(dot + 1)
  }
  return { text, places: found, organisation, region, confidential }
}

/** Drops words for vendors and hosts in front of a known family. */
export function withoutPrefix(words: readonly string[], providerID: string) {
  const first = match(words, 0)
  const own = !first && words.length > 1 ? scan(lower(providerID), whole).words[0] : undefined
  for (let index = 0; index < Math.min(PREFIX_WORDS, words.length - 1); index++) {
    if (!prefixes.has(words[index]) && words[index] !== own) return words
    const family = match(words, index + 1)
    // "qwen qwq" is qwq, but this rule must not decide about "llama nemotron".
    if (family && (!first || (first.vendor === family.vendor && !family.keep))) return words.slice(index + 1)
  }
  return words
}

function startsAt(words: readonly string[], index: number, part: readonly string[]) {
  return part.every((word, offset) => words[index + offset] === word)
}

export function match(words: readonly string[], index: number): Family | undefined {
  if (index >= words.length) return undefined
  return families.get(words[index])?.find((family) => startsAt(words, index, family.words))
}

/** The family at the front, the words from there on, and its vendor's row, or -1. */
export function familyOf(
  words: readonly string[],
  organisation: string,
): { words: readonly string[]; family?: Family; row: number } {
  const marked = words.findIndex((word) => anywhere.has(word))
  if (marked >= 0) {
    const row = anywhere.get(words[marked]) ?? -1
    if (!vendors[row].families.includes(words[marked])) return { words, row }
    const moved = [words[marked], ...words.slice(0, marked), ...words.slice(marked + 1)]
    return { words: moved, family: match(moved, 0), row }
  }
  const family = match(words, 0)
  if (family) return { words, family, row: family.vendor }
  const row = organisations.get(organisation) ?? -1
  if (row >= 0 && words.length > 0 && LETTER_VERSION.test(words[0]) && vendors[row].families.length > 0) {
    // As in deepseek.v3.2: the vendor's name stands for the family.
    const longer = [vendors[row].families[0], ...words]
    return { words: longer, family: match(longer, 0), row }
  }
  return { words, row }
}

/** Whether the display name may add something. Most do not, and this shows without splitting them into words. */
export function canAdd(title: string) {
  return ADDS.test(lower(title))
}

/** The words, plus what the display name adds. A display name that lacks a word which it must repeat is ignored. */
export function withTitle(words: readonly string[], stamp: string, row: number, title: string) {
  const { versions, closed } = vendors[row]
  if (!versions && !canAdd(title)) return { words, stamp }
  const said = scan(lower(title), whole)
  const heard = new Set(said.words)
  const known = new Set(words)
  for (const word of words) {
    if (heard.has(word) || ACTIVE.test(word)) continue
    if (MUST_SAY.has(classes.get(word))) return { words, stamp }
  }
  const more = said.words.filter((word) => {
    const open = titles.get(word)
    return open !== undefined && !(open && closed) && !known.has(word)
  })
  if (versions && !stamp && !words.some(isNumber)) more.push(...said.words.filter(isNumber).slice(0, 1))
  return { words: more.length > 0 ? [...words, ...more] : words, stamp: stamp || said.stamp }
}

/** Uses one wording for what is written in several ways. */
export function replaceSynonyms(words: readonly string[], family: Family | undefined) {
  if (!words.some((word) => synonyms.has(word))) return words
  const found: string[] = []
  let index = 0
  while (index < words.length) {
    const at = index
    const synonym = synonyms.get(words[at])?.find((entry) => applies(entry, words, at, family))
    found.push(...(synonym ? synonym.to : [words[at]]))
    index += synonym ? synonym.words.length : 1
  }
  return found
}

function applies(synonym: Synonym, words: readonly string[], index: number, family: Family | undefined) {
  if (synonym.family && synonym.family !== family?.name) return false
  const end = index + synonym.words.length
  if (synonym.before_version && !(end < words.length && LETTER_VERSION.test(words[end]))) return false
  return startsAt(words, index, synonym.words)
}
