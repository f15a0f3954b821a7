// What one offer's id says: vendor, name, size, mode, snapshot, and the terms it is served on.
//
// identity.py in opencode-patcher is the same in Python; the two agree on every input.
import { compare, isDigits, isNumber, lower, scan, squash } from "./scan"
import {
  abbreviations,
  aliases,
  aliasStarts,
  classes,
  endings,
  families,
  organisations,
  rawAliases,
  repackers,
  rolling,
  vendors,
  whole,
  type Family,
  type Vendor,
} from "./rules"
import {
  ACTIVE,
  canAdd,
  familyOf,
  locate,
  match,
  replaceSynonyms,
  withoutPrefix,
  withTitle,
  type Located,
} from "./words"

export type Variant = {
  free: boolean
  quantisation: string
  context: string
  region: string
  host: string
  confidential: boolean
}

/**
 * What was read from an offer's id. `row` is the vendor's row in the table or -1; if `version` is set, it is not part
 * of `name`; `rolling` is "apart" (never joined with a snapshot) or "release" (the same only when released on the same
 * day).
 */
export type Reading = {
  vendor: string
  row: number
  name: string
  version: string
  size: string
  context: string
  preview: boolean
  mode: string
  stamp: string
  instruct: boolean
  rolling: "" | "apart" | "release"
  variant: Variant
}

const AMAZON_VERSION = /-v?[0-9]{1,2}:0(?![^:])/g
const SIZE = /^(?:[0-9]+x)?[0-9]+(?:\.[0-9]+)?[bmt]$/
const EXPERTS = /^[0-9]+e$/
const CONTEXT = /^[0-9]+k$/
const DIGIT = /[0-9]/
const WINDOWS = new Map([
  ["4096", "4k"],
  ["8192", "8k"],
  ["16384", "16k"],
  ["32768", "32k"],
  ["65536", "64k"],
  ["131072", "128k"],
])

/**
 * Reads an offer. Never fails; an id without words is its own name.
 *
 * A reading only depends on the offer's words, so it is remembered for the life of the process: providers share most of
 * their ids, and the same catalogue is read again for each directory and after each change of a setting.
 */
export function read(offer: { providerID: string; modelID: string; name: string }): Reading {
  const written = known.get(offer.modelID) ?? remember(offer.modelID)
  if (written.plain?.title === offer.name) return written.plain.reading
  const own = written.own.find((item) => item.provider === offer.providerID && item.title === offer.name)
  if (own) return own.reading
  const plain = !canAdd(offer.name)
  if (plain && written.plain) return written.plain.reading
  const made = { provider: offer.providerID, title: offer.name, reading: make(offer, written) }
  if (plain && isAnyones(written, made.reading)) written.plain = made
  else written.own.push(made)
  return made.reading
}

/** The most ids to remember. The largest catalogue has a third as many. */
const MOST_IDS = 10_000

const known = new Map<string, Written>()

function remember(modelID: string) {
  if (known.size >= MOST_IDS) known.clear()
  const written = write(modelID)
  known.set(modelID, written)
  return written
}

type Made = { readonly provider: string; readonly title: string; readonly reading: Reading }

/** `plain` is the reading for every provider whose display name adds nothing, `own` has the readings for the others. */
type Written = { located: Located; words: readonly string[]; stamp: string; plain?: Made; own: Made[] }

// Whether the provider does not matter. It can matter because its name can be a prefix of the id, or the organisation.
function isAnyones({ words, located }: Written, reading: Reading) {
  const known = !located.organisation || organisations.has(located.organisation)
  return known && match(words, 0) !== undefined && !vendors[reading.row]?.versions
}

function write(modelID: string): Written {
  const located = locate(modelID)
  const raw = rawAliases.get(located.text)
  if (raw) return { located, words: raw.words, stamp: raw.stamp, own: [] }
  const text = located.text.includes(":0") ? located.text.replace(AMAZON_VERSION, "") : located.text
  return { located, ...scan(text, whole), own: [] }
}

function make(offer: { providerID: string; modelID: string; name: string }, written: Written): Reading {
  const { located } = written
  const bare = unaliased(withoutPrefix(written.words, offer.providerID), written.stamp)
  const found = familyOf(bare.words, located.organisation)
  const titled = found.family ? withTitle(found.words, bare.stamp, found.row, offer.name) : found
  const named = found.family && !found.family.keep ? titled.words.slice(found.family.words.length) : titled.words
  const terms = termsOf(replaceSynonyms(named, found.family), found.family, found.row, located.places)
  const vendor = vendorOf(located.organisation, found.row, terms.quantisation !== "", offer.providerID)
  const spelled = spell(terms.rest, found.family, vendor.row)
  const rolls = terms.latest && !vendors[vendor.row]?.latest && !DIGIT.test(spelled.name + spelled.version)
  const name = (rolls ? spelled.name + "-latest" : spelled.name) || lower(offer.modelID)
  return {
    vendor: vendor.id,
    row: vendor.row,
    name,
    version: spelled.version,
    size: terms.size,
    context: terms.context,
    preview: terms.preview,
    mode: terms.mode,
    stamp: "stamp" in titled ? titled.stamp : bare.stamp,
    instruct: terms.instruct,
    rolling: rollingOf(terms.rest, found.family, name),
    variant: {
      free: terms.free,
      quantisation: terms.quantisation,
      context: "",
      region: located.region,
      host: terms.host,
      confidential: terms.confidential || located.confidential,
    },
  }
}

function unaliased(words: readonly string[], stamp: string) {
  const alias = aliasStarts.has(words[0]) ? aliases.get([...words, stamp].join(" ")) : undefined
  return alias ?? { words, stamp }
}

type Terms = {
  rest: string[]
  free: boolean
  confidential: boolean
  latest: boolean
  preview: boolean
  instruct: boolean
  quantisation: string
  mode: string
  host: string
  size: string
  active: string
  context: string
}

// Takes out the words for how a model is served, its size and its mode. The rest is its name.
function termsOf(words: readonly string[], family: Family | undefined, row: number, at: readonly string[]) {
  const found: Terms = {
    rest: [],
    free: false,
    confidential: false,
    latest: false,
    preview: false,
    instruct: false,
    quantisation: "",
    mode: "",
    host: "",
    size: "",
    active: "",
    context: "",
  }
  const keepInstruct = row >= 0 && vendors[row].keep_instruct
  const last = words.length - 1
  let before = ""
  for (let index = 0; index <= last; index++) {
    const word = words[index]
    const kind = classes.get(word) ?? ""
    const taken =
      takeKind(found, word, kind, before, keepInstruct) ||
      (index === last && takeEnding(found, word, index > 0 ? family : undefined, at)) ||
      takeNumber(found, word, before)
    before = taken ? kind : ""
    if (!taken) found.rest.push(word)
  }
  if (found.active && !found.size) found.rest.push(found.active)
  return found
}

function takeKind(found: Terms, word: string, kind: string, before: string, keepInstruct: boolean) {
  switch (kind) {
    case "free":
      found.free = true
      return true
    case "confidential":
      found.confidential = true
      return true
    case "latest":
      found.latest = true
      return true
    case "preview":
      found.preview = true
      return true
    case "host":
      found.host = word
      return true
    case "precision":
      return true
    case "quantised":
      found.quantisation = found.quantisation || word
      return true
    case "quantised-tail":
      return before === "quantised" || before === "quantised-tail"
    case "instruct":
      found.instruct = found.instruct || !keepInstruct
      return !keepInstruct
    case "thinking":
      found.mode = found.mode || "thinking"
      return true
    case "effort":
      return takeBudget(found, word, before)
    default:
      return false
  }
}

function takeBudget(found: Terms, budget: string, before: string) {
  if (before !== "thinking" || found.mode !== "thinking") return false
  found.mode = "thinking-" + budget
  return true
}

function takeEnding(found: Terms, word: string, family: Family | undefined, at: readonly string[]) {
  if (family && endings.get(word)?.has(family.name)) return true
  if (!at.some((place) => abbreviations.get(place) === word)) return false
  found.host = word
  return true
}

function takeNumber(found: Terms, word: string, before: string) {
  if (isBudget(word) && takeBudget(found, Math.floor(Number(word.slice(0, 12)) / 1000) + "k", before)) return true
  if (!found.size && SIZE.test(word)) {
    found.size = word
    return true
  }
  if (!found.active && ACTIVE.test(word)) {
    found.active = word
    return true
  }
  if (found.size && EXPERTS.test(word)) return true
  if (found.context || !(CONTEXT.test(word) || WINDOWS.has(word))) return false
  found.context = WINDOWS.get(word) ?? word
  return true
}

// Budgets in tokens are powers of two or round thousands, which are unlikely to be dates.
function isBudget(word: string) {
  return isDigits(word) && (word.endsWith("000") || word === "1024" || word === "2048" || WINDOWS.has(word))
}

// If an open model's id has an organisation other than the vendor in front, it is another model.
function vendorOf(organisation: string, row: number, quantised: boolean, providerID: string) {
  if (row < 0) return { id: organisation, row: -1 }
  const id = vendors[row].id
  const other = organisations.get(organisation) ?? -1
  if (!organisation || (other >= 0 && vendors[other].id === id)) return { id, row }
  if (other < 0 && vendors[row].closed) return { id, row }
  if (quantised && repackers.has(organisation)) return { id, row }
  if (other < 0 && organisation === squash(providerID)) return { id, row }
  return { id: other >= 0 ? vendors[other].id : organisation, row }
}

function spell(words: readonly string[], family: Family | undefined, row: number) {
  if (!family) return { name: glue(words, row).join("-"), version: "" }
  const vendor = vendors[row]
  const rest = glue(withLetter(words, vendor.letter, vendor.no_letter), row)
  const at = vendor.any_order || vendor.versions ? rest.findIndex(isNumber) : -1
  const generation = at >= 0 ? rest.splice(at, 1) : []
  if (vendor.versions) return { name: [family.name, ...rest].join("-"), version: generation[0] ?? "" }
  const ordered = vendor.any_order ? inOrder(rest, generation, vendor) : rest
  if (vendor.joined && ordered.length > 0 && isNumber(ordered[0]))
    return { name: [family.name + ordered[0], ...ordered.slice(1)].join("-"), version: "" }
  const name = [family.name, ...ordered].join("-")
  return { name: vendor.dashes ? name.replaceAll(".", "-") : name, version: "" }
}

function withLetter(words: readonly string[], letter: string, dropped: string) {
  if (words.length === 0) return words
  if (letter && isNumber(words[0])) return [letter + words[0], ...words.slice(1)]
  if (dropped && words[0].startsWith(dropped) && isNumber(words[0].slice(1)))
    return [words[0].slice(1), ...words.slice(1)]
  return words
}

// Hosts order the words differently, so the order cannot be part of the name.
function inOrder(words: readonly string[], generation: readonly string[], vendor: Vendor) {
  const tiers = vendor.tiers.filter((word) => words.includes(word))
  const others = words.filter((word) => !tiers.includes(word)).toSorted(compare)
  if (vendor.any_order === "tiers-first") return [...tiers, ...generation, ...others]
  return [...generation, ...tiers, ...others]
}

// A number after another vendor's family name, and every number except the first, belongs to the word before it.
function glue(words: readonly string[], row: number) {
  const found: string[] = []
  let numbers = 0
  for (const word of words) {
    const previous = found.at(-1)
    if (previous !== undefined && isNumber(word) && !isNumber(previous)) {
      numbers += 1
      if (numbers > 1 || families.get(previous)?.some((family) => family.vendor !== row)) {
        found[found.length - 1] = previous + word
        continue
      }
    }
    found.push(word)
  }
  return found
}

function rollingOf(words: readonly string[], family: Family | undefined, name: string): Reading["rolling"] {
  for (const rule of (family && rolling.get(family.name)) ?? []) {
    if (!words.some((word) => rule.words.includes(word)) || words.some((word) => rule.without.includes(word))) continue
    if (!rule.by_release) return "apart"
    if (words.length === 1) return "release"
  }
  return name.endsWith("-latest") ? "release" : ""
}
