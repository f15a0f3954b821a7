// What one offer says about itself: vendor, name, size, mode, snapshot, and the terms it is served on.
//
// identity.py in opencode-patcher is the same in Python; the two agree on every input.
import { isDigits, isNumber, lower, scan, squash } from "./identity-scan"
import { rules } from "./rules"

export type Variant = {
  free: boolean
  quantisation: string
  context: string
  region: string
  host: string
  confidential: boolean
}

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
  latest: boolean
  instruct: boolean
  rolling: "" | "apart" | "release"
  variant: Variant
}

type Family = (typeof rules.families)[number]
type Synonym = (typeof rules.synonyms)[number]

const AMAZON_VERSION = /-v?[0-9]{1,2}:0(?![^:])/g
const SIZE = /^(?:[0-9]+x)?[0-9]+(?:\.[0-9]+)?[bmt]$/
const ACTIVE = /^a[0-9]+(?:\.[0-9]+)?b$/
const EXPERTS = /^[0-9]+e$/
const CONTEXT = /^[0-9]+k$/
const LETTER_VERSION = /^[a-z][0-9]/
const DIGIT = /[0-9]/
const WINDOWS = new Map([
  ["4096", "4k"],
  ["8192", "8k"],
  ["16384", "16k"],
  ["32768", "32k"],
  ["65536", "64k"],
  ["131072", "128k"],
])
const PREFIX_WORDS = 4
const TITLE_CLASSES = new Set(["effort", "quantised-tail"])

const regions = new Set(rules.regions)
const places = new Map(Object.entries(rules.places))
const repackers = new Set(rules.repackers)
const abbreviations = new Map(Object.entries(rules.abbreviations))
const prefixes = new Set(rules.prefixes)
const classes = new Map(Object.entries(rules.classes))
const endings = new Map(Object.entries(rules.endings).map(([word, families]) => [word, new Set(families)]))
const organisations = new Map(Object.entries(rules.organisations))
const anywhere = new Map(Object.entries(rules.anywhere))
const rawAliases = new Map(Object.entries(rules.raw_aliases))
const aliases = new Map(Object.entries(rules.aliases))
const titles = new Map(Object.entries(rules.titles))
// A word that a title may add, or something that could be a date.
const MONTHS = ["jan", "feb", "apr", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
const ADDS = new RegExp([...titles.keys(), ...MONTHS, "[0-9]{3}", "[0-9]{2}[^0-9a-z]+[0-9]{2}"].join("|"))
const whole = new Set(rules.whole)
const families = byFirstWord(rules.families)
const synonyms = byFirstWord(rules.synonyms)

function byFirstWord<Entry extends { words: readonly string[] }>(entries: readonly Entry[]) {
  const found = new Map<string, Entry[]>()
  for (const entry of entries) {
    const same = found.get(entry.words[0])
    if (same) same.push(entry)
    if (!same) found.set(entry.words[0], [entry])
  }
  return found
}

export function read(offer: { providerID: string; modelID: string; name: string }): Reading {
  const located = locate(offer.modelID)
  const scanned = scan(located.text.replace(AMAZON_VERSION, ""), whole)
  const raw = rawAliases.get(located.text)
  const bare = withoutPrefix(raw ? [...raw.words] : scanned.words, offer.providerID)
  const stamp = raw ? raw.stamp : scanned.stamp
  const alias = aliases.get([...bare, stamp].join(" "))
  const found = familyOf(alias ? [...alias.words] : bare, located.organisation)
  const titled = found.family
    ? withTitle(found.words, alias ? alias.stamp : stamp, found.row, offer.name)
    : { words: found.words, stamp: alias ? alias.stamp : stamp }
  const named =
    found.family && !found.family.keep ? titled.words.slice(found.family.words.length) : titled.words
  const sorted = classify(replaceSynonyms(named, found.family), found.family, found.row, located.places)
  const vendor = vendorOf(located.organisation, found.row, sorted.quantisation !== "", offer.providerID)
  const spelled = spell(sorted.rest, found.family, vendor.row)
  const pinned = !sorted.latest || (vendor.row >= 0 && rules.vendors[vendor.row].latest)
  const dated = pinned || DIGIT.test(spelled.name + spelled.version)
  const name = (dated ? spelled.name : spelled.name + "-latest") || lower(offer.modelID)
  return {
    vendor: vendor.id,
    row: vendor.row,
    name,
    version: spelled.version,
    size: sorted.size,
    context: sorted.context,
    preview: sorted.preview,
    mode: sorted.mode,
    stamp: titled.stamp,
    latest: dated && sorted.latest,
    instruct: sorted.instruct,
    rolling: rollingOf(sorted.rest, found.family, name),
    variant: {
      free: sorted.free,
      quantisation: sorted.quantisation,
      context: "",
      region: located.region,
      host: sorted.host,
      confidential: sorted.confidential || located.confidential,
    },
  }
}

// Take off wrappers, places, organisation and region; what is left is the model's own name.
function locate(modelID: string) {
  const id = rules.schemes.reduce((text, scheme) => (text.startsWith(scheme) ? text.slice(scheme.length) : text), lower(modelID))
  const segments = id.split("/")
  const found: string[] = []
  let text = segments.pop() ?? ""
  let organisation = ""
  let region = ""
  let confidential = false
  for (const segment of segments) {
    // nano-gpt writes "TheDrummer 2/…" to tell two hosts of one organisation apart.
    const name = squash(segment.split(" ", 1)[0])
    const place = places.get(name)
    if (place !== undefined) {
      found.push(name)
      confidential = confidential || place
      continue
    }
    organisation = organisation || name
  }
  while (!rawAliases.has(text)) {
    const dot = text.indexOf(".")
    if (dot <= 0) break
    const head = text.slice(0, dot)
    const code = text.charCodeAt(dot + 1)
    if (regions.has(head)) region = head
    else if (code >= 97 && code <= 122 && organisations.has(squash(head))) organisation = organisation || squash(head)
    else break
    text = text.slice(dot + 1)
  }
  return { text, places: found, organisation, region, confidential }
}

// Drop words of vendors and hosts in front of a known family.
function withoutPrefix(words: string[], providerID: string) {
  const first = match(words, 0)
  const own = !first && words.length > 1 ? scan(lower(providerID), whole).words[0] : undefined
  for (let index = 0; index < Math.min(PREFIX_WORDS, words.length - 1); index++) {
    if (!prefixes.has(words[index]) && words[index] !== own) return words
    const family = match(words, index + 1)
    // "qwen qwq" is qwq, but "llama nemotron" is not for this rule to judge.
    if (family && (!first || (first.vendor === family.vendor && !family.keep))) return words.slice(index + 1)
  }
  return words
}

function startsAt(words: readonly string[], index: number, part: readonly string[]) {
  return part.every((word, offset) => words[index + offset] === word)
}

function match(words: readonly string[], index: number): Family | undefined {
  if (index >= words.length) return undefined
  return families.get(words[index])?.find((family) => startsAt(words, index, family.words))
}

function familyOf(words: string[], organisation: string): { words: string[]; family?: Family; row: number } {
  for (const [index, word] of words.entries()) {
    const row = anywhere.get(word)
    if (row === undefined) continue
    if (!rules.vendors[row].families.includes(word)) return { words, row }
    const moved = [word, ...words.slice(0, index), ...words.slice(index + 1)]
    return { words: moved, family: match(moved, 0), row }
  }
  const family = match(words, 0)
  if (family) return { words, family, row: family.vendor }
  const row = organisations.get(organisation) ?? -1
  if (row >= 0 && words.length > 0 && LETTER_VERSION.test(words[0]) && rules.vendors[row].families.length > 0) {
    // deepseek.v3.2: the vendor's name stands for the family.
    const longer = [rules.vendors[row].families[0], ...words]
    return { words: longer, family: match(longer, 0), row }
  }
  return { words, row }
}

// What the display name adds, when it says all that the id says. A name that contradicts the id is not heard.
function withTitle(words: string[], stamp: string, row: number, title: string) {
  const { versions, closed } = rules.vendors[row]
  const text = lower(title)
  // Most names have nothing to add, and that can be seen before they are cut into words.
  if (!versions && !ADDS.test(text)) return { words, stamp }
  const said = scan(text, whole)
  for (const word of words) {
    if (said.words.includes(word) || ACTIVE.test(word)) continue
    const kind = classes.get(word)
    if (kind === undefined || TITLE_CLASSES.has(kind)) return { words, stamp }
  }
  const more = said.words.filter((word) => {
    const open = titles.get(word)
    return open !== undefined && !(open && closed) && !words.includes(word)
  })
  if (versions && !stamp && !words.some(isNumber)) more.push(...said.words.filter(isNumber).slice(0, 1))
  return { words: [...words, ...more], stamp: stamp || said.stamp }
}

function replaceSynonyms(words: string[], family: Family | undefined) {
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

// Take out the words that say how a model is served, its size and its mode; the rest is its name.
function classify(words: readonly string[], family: Family | undefined, row: number, at: readonly string[]) {
  const keepInstruct = row >= 0 && rules.vendors[row].keep_instruct
  const found = {
    rest: [] as string[],
    free: false,
    confidential: false,
    latest: false,
    preview: false,
    instruct: false,
    quantisation: "",
    mode: "",
    host: "",
    size: "",
    context: "",
  }
  let previous = ""
  let active = ""
  for (const [index, word] of words.entries()) {
    const last = index === words.length - 1
    const kind = classes.get(word) ?? ""
    const before = previous
    previous = kind
    if (kind === "free") found.free = true
    else if (kind === "confidential") found.confidential = true
    else if (kind === "latest") found.latest = true
    else if (kind === "preview") found.preview = true
    else if (kind === "quantised") found.quantisation = found.quantisation || word
    else if (kind === "quantised-tail" && (before === "quantised" || before === "quantised-tail")) continue
    else if (kind === "instruct" && !keepInstruct) found.instruct = true
    else if (kind === "thinking") found.mode = found.mode || "thinking"
    else if (before === "thinking" && found.mode === "thinking" && (kind === "effort" || isBudget(word)))
      found.mode += "-" + (kind === "effort" ? word : Math.floor(Number(word.slice(0, 12)) / 1000) + "k")
    else if (kind === "host" || (last && at.some((place) => abbreviations.get(place) === word))) found.host = word
    else if (kind === "precision") continue
    else if (last && index > 0 && family && endings.get(word)?.has(family.name)) continue
    else if (!active && ACTIVE.test(word)) active = word
    else if (!found.size && SIZE.test(word)) found.size = word
    else if (found.size && EXPERTS.test(word)) continue
    else if (!found.context && (CONTEXT.test(word) || WINDOWS.has(word))) found.context = WINDOWS.get(word) ?? word
    else {
      previous = ""
      found.rest.push(word)
    }
  }
  if (active && !found.size) found.rest.push(active)
  return found
}

// Budgets in tokens are powers of two or round thousands; other numbers are dates that nobody writes so.
function isBudget(word: string) {
  return isDigits(word) && (word.endsWith("000") || word === "1024" || word === "2048" || WINDOWS.has(word))
}

// An organisation in front of an open model that is not its vendor's makes it another model.
function vendorOf(organisation: string, row: number, quantised: boolean, providerID: string) {
  if (row < 0) return { id: organisation, row: -1 }
  const id = rules.vendors[row].id
  const other = organisations.get(organisation) ?? -1
  if (!organisation || (other >= 0 && rules.vendors[other].id === id)) return { id, row }
  if (other < 0 && rules.vendors[row].closed) return { id, row }
  if (quantised && repackers.has(organisation)) return { id, row }
  if (other < 0 && organisation === squash(providerID)) return { id, row }
  return { id: other >= 0 ? rules.vendors[other].id : organisation, row }
}

function spell(words: readonly string[], family: Family | undefined, row: number) {
  if (!family) return { name: glue(words, row).join("-"), version: "" }
  const vendor = rules.vendors[row]
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
  if (dropped && words[0].startsWith(dropped) && isNumber(words[0].slice(1))) return [words[0].slice(1), ...words.slice(1)]
  return words
}

// The order of words differs from host to host, so it cannot be part of the name.
function inOrder(words: readonly string[], generation: readonly string[], vendor: (typeof rules.vendors)[number]) {
  const tiers = vendor.tiers.filter((word) => words.includes(word))
  const others = words.filter((word) => !tiers.includes(word)).toSorted(compare)
  if (vendor.any_order === "tiers-first") return [...tiers, ...generation, ...others]
  return [...generation, ...tiers, ...others]
}

export function compare(a: string, b: string) {
  if (a === b) return 0
  return a < b ? -1 : 1
}

// A number after the name of another vendor's family, and every number but the first, belong to the word before it.
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
  for (const rule of rules.rolling) {
    if (!family || rule.family !== family.name) continue
    if (!words.some((word) => rule.words.includes(word)) || words.some((word) => rule.without.includes(word))) continue
    if (!rule.by_release) return "apart"
    if (words.length === 1) return "release"
  }
  return name.endsWith("-latest") ? "release" : ""
}
