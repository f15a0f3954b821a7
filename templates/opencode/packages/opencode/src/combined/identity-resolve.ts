// Which offers are the same model, as far as a whole catalogue can tell.
//
// resolve.py in opencode-patcher is the same in Python; the two agree on every input. The steps run in a fixed
// order, each over the result of the one before.
import { read, type Reading, type Variant } from "./identity-read"
import { squash } from "./identity-scan"
import { rules } from "./rules"

export type Offer = { providerID: string; modelID: string; name: string; releaseDate?: string }

/** `stem` is the name without a date. `undated` says that the key is what the name means without a date, `written` how the id is dated. */
export type Identity = {
  key: string
  name: string
  stem: string
  vendor: string
  variant: Variant
  undated: boolean
  written: boolean
}

type Item = Reading & { provider: string; date: string; undated: boolean; written: boolean }
type Vendor = (typeof rules.vendors)[number]

const snapshots = new Map(Object.entries(rules.snapshots))
const versions = new Map(Object.entries(rules.versions))
const sizes = new Map(Object.entries(rules.sizes))
const vendorIDs = new Set(rules.vendor_ids)
const ownTiers = new Set(rules.own_tiers)
const DIGIT = /[0-9]/
const PLAIN = /^[a-z0-9]*$/
const DATE = /^[0-9]{6}(?:[0-9]{2})?$/
// The most words that a vendor's name may have in front of a model's.
const VENDOR_WORDS = 3
// Shorter names are the beginning of too many others; the longest bounds the work for names of any length.
const SHORTEST_VENDOR = 3
const LONGEST_VENDOR = 40
// Months by which the release date that most hosts give may precede the only snapshot.
const SLACK_OF_MOST = 3
// Months by which one host's release date may precede the newest snapshot while an older one exists.
const SLACK_OF_ONE = 1

/** Identities of the offers, in their order. The catalogue holds further offers that are only learnt from. */
export function resolve(offers: readonly Offer[], catalogue: readonly Offer[] = []): Identity[] {
  const own = new Set(offers.map(offerID))
  const items = [...offers, ...catalogue.filter((offer) => !own.has(offerID(offer)))].map(itemOf)
  dropProviders(items)
  adoptVendors(items)
  keepHouseNames(items)
  const models = grouped(items, model)
  for (const group of models.values()) keepOwnTiers(group, models)
  tieVersions(items)
  for (const group of grouped(items, model).values()) settleContexts(group)
  for (const group of grouped(items, model).values()) {
    settleSizes(group)
    settlePreviews(group)
    settleStamps(group)
    settleModes(group)
  }
  return items.slice(0, offers.length).map(identityOf)
}

function offerID(offer: Offer) {
  return offer.providerID + "/" + offer.modelID
}

function itemOf(offer: Offer): Item {
  const reading = read(offer)
  return {
    vendor: reading.vendor,
    row: reading.row,
    name: reading.name,
    version: reading.version,
    size: reading.size,
    context: reading.context,
    preview: reading.preview,
    mode: reading.mode,
    stamp: reading.stamp,
    latest: reading.latest,
    instruct: reading.instruct,
    rolling: reading.rolling,
    variant: reading.variant,
    provider: offer.providerID,
    date: offer.releaseDate ?? "",
    undated: reading.stamp === "",
    written: reading.stamp !== "",
  }
}

function identityOf(item: Item): Identity {
  const stem = [item.name, item.version, item.size, item.preview ? "preview" : "", item.mode]
    .filter((part) => part !== "")
    .join("-")
  const name = item.stamp ? stem + "-" + item.stamp : stem
  return {
    key: item.vendor ? item.vendor + "/" + name : name,
    name,
    stem,
    vendor: item.vendor,
    variant: item.variant,
    undated: item.undated,
    written: item.written,
  }
}

function vendorOf(item: Item): Vendor | undefined {
  return item.row >= 0 ? rules.vendors[item.row] : undefined
}

// Fields are joined by a character that no word can hold: a separator is never part of one.
function grouped(items: readonly Item[], key: (item: Item) => string) {
  const found = new Map<string, Item[]>()
  for (const item of items) {
    const name = key(item)
    const group = found.get(name)
    if (group) group.push(item)
    if (!group) found.set(name, [item])
  }
  return found
}

function model(item: Item) {
  return item.vendor + "\n" + item.name
}

// Within one model.
function stem(item: Item) {
  return item.version + "\n" + item.size + "\n" + item.preview
}

// Most models are offered in one way only: then there is nothing to divide.
function divide(items: readonly Item[], key: (item: Item) => string) {
  const first = key(items[0])
  return items.every((item) => key(item) === first) ? [items] : [...grouped(items, key).values()]
}

// An organisation in front of a known family that is a provider itself is the host behind a gateway.
function dropProviders(items: readonly Item[]) {
  const providers = new Set([...new Set(items.map((item) => item.provider))].map(squash))
  for (const item of items)
    if (item.row >= 0 && !vendorIDs.has(item.vendor) && providers.has(item.vendor)) item.vendor = rules.vendors[item.row].id
}

// Find the vendor of names that the table does not know from how others in the catalogue write them.
function adoptVendors(items: readonly Item[]) {
  const unknown = items.filter((item) => item.row < 0)
  const organised = new Set(unknown.filter((item) => item.vendor).map((item) => item.vendor + "/" + item.name))
  const organisations = new Set(unknown.map((item) => item.vendor).filter((vendor) => vendor !== ""))
  for (const item of unknown) {
    if (item.vendor) continue
    const words = item.name.split("-")
    for (let count = 1; count <= Math.min(VENDOR_WORDS, words.length - 1); count++) {
      const vendor = words.slice(0, count).join("")
      if (!organisations.has(vendor)) continue
      const name = words.slice(count).join("-")
      if (!organised.has(vendor + "/" + name)) continue
      item.vendor = vendor
      item.name = name
      break
    }
  }
  for (const group of grouped(unknown, (item) => item.name).values()) {
    const counts = new Map<string, number>()
    for (const item of group) if (item.vendor) counts.set(item.vendor, (counts.get(item.vendor) ?? 0) + 1)
    if (counts.size === 0) continue
    // meituan and meituan-longcat are one organisation when both offer a model of the same name.
    const totals = new Map<string, number>()
    for (const [vendor, count] of counts) {
      const short = shortest(vendor, counts)
      totals.set(short, (totals.get(short) ?? 0) + count)
    }
    const all = [...totals.values()].reduce((sum, count) => sum + count, 0)
    const usual = [...totals].find(([, count]) => count * 5 >= all * 4)?.[0] ?? ""
    for (const item of group) item.vendor = item.vendor ? shortest(item.vendor, counts) : usual
  }
}

// The shortest of the others that the vendor begins with, or the vendor itself.
function shortest(vendor: string, others: ReadonlyMap<string, number>) {
  if (others.size === 1 || !PLAIN.test(vendor)) return vendor
  for (let end = SHORTEST_VENDOR; end < Math.min(vendor.length, LONGEST_VENDOR); end++)
    if (others.has(vendor.slice(0, end))) return vendor.slice(0, end)
  return vendor
}

// A name of words only that no vendor is known for ("auto", "custom") is the provider's own product.
function keepHouseNames(items: readonly Item[]) {
  for (const item of items) if (item.row < 0 && !item.vendor && !DIGIT.test(item.name)) item.vendor = item.provider
}

// A fast tier of open weights is its host's own, unless the vendor itself has it.
function keepOwnTiers(group: readonly Item[], models: ReadonlyMap<string, readonly Item[]>) {
  const { vendor, name } = group[0]
  const known = vendorOf(group[0])
  const words = name.split("-")
  if (known?.undated !== "original" || !words.some((word) => ownTiers.has(word))) return
  const rest = words.filter((word) => !ownTiers.has(word)).join("-")
  if (!models.has(vendor + "\n" + rest)) return
  if (group.some((item) => known.providers.includes(item.provider))) return
  for (const item of group) item.name += "-" + item.provider
}

// Where a vendor's versions are snapshots, an id that carries both tells which belong together.
function tieVersions(items: readonly Item[]) {
  const ties = new Map<string, string>()
  for (const item of items) {
    const name = item.name + " " + item.version
    if (item.version && item.stamp && !ties.has(name)) ties.set(name, item.stamp)
  }
  for (const item of items) {
    if (!item.version) continue
    const name = item.name + " " + item.version
    const stamp = item.stamp || versions.get(name) || ties.get(name)
    if (!stamp) continue
    item.version = ""
    item.stamp = stamp
    item.undated = false
  }
}

// A context window is a variant when the model is offered without it too, else a part of the name.
function settleContexts(items: readonly Item[]) {
  if (!items.some((item) => item.context)) return
  for (const group of divide(items, (item) => stem(item) + "\n" + item.mode)) {
    const plain = group.some((item) => !item.context)
    for (const item of group) {
      if (!item.context) continue
      if (plain) item.variant = { ...item.variant, context: item.context }
      if (!plain) item.name += "-" + item.context
    }
  }
}

// A size says nothing when the catalogue knows one size only and some offers leave it out.
function settleSizes(items: readonly Item[]) {
  if (!items.some((item) => item.size)) return
  const vendor = vendorOf(items[0])
  // The sizes of closed models are tiers: gemini-1.5-flash-8b is another model than gemini-1.5-flash.
  if (!vendor || !(vendor.undated === "original" || vendor.versions)) return
  const key = (item: Item) => item.version + "\n" + item.preview + "\n" + (vendor.versions ? item.stamp : "")
  for (const group of divide(items, key)) {
    const known = new Set(group.map((item) => item.size).filter((size) => size !== ""))
    const only = known.size === 1 && group.some((item) => !item.size) ? [...known][0] : undefined
    const own = sizes.get(group[0].name) ?? only
    if (own !== undefined) for (const item of group) if (item.size === own) item.size = ""
  }
}

// While the vendor's own providers list a model as preview only, its plain name means the preview.
function settlePreviews(items: readonly Item[]) {
  const vendor = vendorOf(items[0])
  if (!vendor || !items.some((item) => item.preview)) return
  for (const group of divide(items, (item) => item.version + "\n" + item.size + "\n" + item.mode)) {
    const own = group.filter((item) => vendor.providers.includes(item.provider))
    if (own.length > 0 && own.every((item) => item.preview)) for (const item of group) item.preview = false
  }
}

function settleStamps(items: readonly Item[]) {
  for (const group of divide(items, stem)) {
    completeStamps(group)
    const stamped = new Set(group.map((item) => item.stamp).filter((stamp) => stamp !== ""))
    const table = snapshots.get(group[0].name)
    const vendor = vendorOf(group[0])
    const policy = vendor?.undated ?? "original"
    const rolling = group[0].rolling
    if (table !== undefined) {
      for (const item of group) {
        if (item.stamp === table) item.undated = true
        if (!item.stamp) item.stamp = table
      }
      continue
    }
    if (rolling === "release") {
      for (const item of group) if (!item.stamp) item.stamp = digits(item.date) || item.provider
      continue
    }
    if (stamped.size === 0 || rolling === "apart") continue
    if (policy === "newest") newest(group, stamped)
    if (policy !== "original") continue
    const parts = vendor?.hybrid ? [group] : divide(group, (item) => item.mode)
    for (const part of parts) original(part, vendor?.hybrid === true)
  }
}

// Where the vendor itself lists a hybrid under the plain name, the instruct model is another one.
function settleModes(items: readonly Item[]) {
  const vendor = vendorOf(items[0])
  if (!vendor?.hybrid || !items.some((item) => item.instruct)) return
  const hybrids = items.filter((item) => !item.mode && !item.stamp)
  for (const group of grouped(hybrids, stem).values()) {
    if (!group.some((item) => !item.instruct && vendor.providers.includes(item.provider))) continue
    for (const item of group) if (item.instruct) item.mode = "instruct"
  }
}

function digits(date: string) {
  return date.replaceAll("-", "")
}

// 0215 is 20260215 when only one snapshot of the model has that month and day.
function completeStamps(group: readonly Item[]) {
  const stamps = new Set(group.map((item) => item.stamp).filter((stamp) => stamp !== ""))
  if (stamps.size < 2) return
  const longer = [...stamps].filter((stamp) => stamp.length === 8)
  const completed = new Map<string, string>()
  for (const stamp of stamps) {
    const fits = longer.filter((date) => stamp !== date && matches(stamp, date))
    if (fits.length === 1) completed.set(stamp, fits[0])
  }
  for (const item of group) item.stamp = completed.get(item.stamp) ?? item.stamp
}

// Whether the shorter stamp can be the eight-digit date.
function matches(stamp: string, date: string) {
  if (stamp.length === 6) return date.startsWith(stamp)
  if (stamp.length === 4) return date.endsWith(stamp)
  return stamp.length === 2 && date.slice(4, 6) === stamp
}

// Whether the stamp can be a day of the month of the date.
function isSameMonth(stamp: string, date: string) {
  const month = monthOf(stamp)
  return DATE.test(date) && (month === date.slice(0, 6) || month === date.slice(4, 6))
}

// Year and month, or the month alone if the stamp has no year; nothing for a revision.
function monthOf(stamp: string) {
  if (stamp.length === 3) return ""
  return stamp.length === 6 || stamp.length === 8 ? stamp.slice(0, 6) : stamp.slice(0, 2)
}

function newest(group: readonly Item[], stamped: ReadonlySet<string>) {
  const dated = [...stamped].every((stamp) => stamp.length === 6 || stamp.length === 8)
  const last = [...stamped].reduce((a, b) => (a > b ? a : b))
  if (stamped.size === 1 && !(dated && isOlder(usualDate(group), last, SLACK_OF_MOST))) {
    for (const item of group) {
      if (item.stamp) item.undated = true
      item.stamp = ""
    }
    return
  }
  // Stamps without a year cannot be compared with each other; revisions (001, 002) can.
  if (!dated && ![...stamped].every((stamp) => stamp.length === 3)) return
  for (const item of group) {
    if (item.stamp === last) item.undated = true
    if (item.stamp) continue
    if (dated && isOlder(digits(item.date), last, SLACK_OF_ONE)) {
      contest(item)
      continue
    }
    item.stamp = last
  }
}

// Nobody can tell which snapshot the host serves: the offer joins only others of the same date.
function contest(item: Item) {
  item.stamp = "undated-" + digits(item.date)
  item.undated = false
}

// Whether the date is more than so many months before the stamp, both with a year.
function isOlder(date: string, stamp: string, slack: number) {
  return DATE.test(date) && months(stamp) - months(date) > slack
}

function months(date: string) {
  return Number(date.slice(0, 4)) * 12 + Number(date.slice(4, 6))
}

// The date on which most of the undated offers say that the model came out, as digits; "" if none says.
function usualDate(group: readonly Item[]) {
  const dates = new Map<string, number>()
  const counts = new Map<string, number>()
  for (const item of group) {
    const date = digits(item.date)
    if (item.stamp || !DATE.test(date)) continue
    dates.set(date, (dates.get(date) ?? 0) + 1)
    counts.set(date.slice(0, 6), (counts.get(date.slice(0, 6)) ?? 0) + 1)
  }
  const month = [...counts].reduce<[string, number] | undefined>((best, entry) => (wins(entry, best) ? entry : best), undefined)
  if (!month) return ""
  return [...dates]
    .filter(([date]) => date.startsWith(month[0]))
    .reduce((best, entry) => {
      if (entry[0].length !== best[0].length) return entry[0].length > best[0].length ? entry : best
      return wins(entry, best) ? entry : best
    })[0]
}

// More often, else earlier.
function wins(entry: [string, number], best: [string, number] | undefined) {
  if (!best) return true
  return entry[1] === best[1] ? entry[0] < best[0] : entry[1] > best[1]
}

// The undated name is the first release: the one snapshot of the month in which most say it came out.
function original(group: readonly Item[], hybrid: boolean) {
  const plain = group.filter((item) => !item.stamp && !item.instruct && !item.mode)
  const split = hybrid && plain.length > 0
  const first = usualDate(split ? plain : group)
  const stamped = group.filter((item) => item.stamp)
  const undated = group.filter((item) => !item.stamp)
  const firsts = new Set(stamped.map((item) => item.stamp).filter((stamp) => isSameMonth(stamp, first)))
  const later = new Set(stamped.filter((item) => !firsts.has(item.stamp)).map((item) => monthOf(item.stamp)))
  const last = new Map<string, string>()
  for (const item of stamped) {
    const mode = item.instruct + item.mode
    const before = last.get(mode)
    if (before === undefined || item.stamp > before) last.set(mode, item.stamp)
  }
  for (const item of stamped) {
    if (firsts.size !== 1 || !firsts.has(item.stamp)) continue
    item.stamp = ""
    item.undated = true
  }
  for (const item of undated) {
    const stamp = split && (item.instruct || item.mode) ? last.get(item.instruct + item.mode) : undefined
    if (stamp) {
      item.stamp = stamp
      continue
    }
    const date = digits(item.date)
    // A host that dates it as a later snapshot is contested, so it joins neither.
    if (!DATE.test(date) || date.slice(0, 6) === first.slice(0, 6)) continue
    if (later.has(date.slice(0, 6)) || later.has(date.slice(4, 6))) contest(item)
  }
}
