// Which offers are the same model, as far as a whole catalogue can tell.
//
// resolve.py in opencode-patcher is the same in Python; the two agree on every input. The steps run in a fixed
// order, each over the result of the one before.
import { read, type Reading, type Variant } from "./identity-read"
import { rules } from "./rules"

export type Offer = { providerID: string; modelID: string; name: string; releaseDate?: string }

/** `undated` says that the key is what the name means without a date, `written` how the id is dated. */
export type Identity = { key: string; name: string; vendor: string; variant: Variant; undated: boolean; written: boolean }

type Item = Reading & { provider: string; date: string; undated: boolean; written: boolean }
type Vendor = (typeof rules.vendors)[number]

const snapshots = new Map(Object.entries(rules.snapshots))
const versions = new Map(Object.entries(rules.versions))
const sizes = new Map(Object.entries(rules.sizes))

/** Identities of the offers, in their order. The catalogue holds further offers that are only learnt from. */
export function resolve(offers: readonly Offer[], catalogue: readonly Offer[] = []): Identity[] {
  const items = [...offers, ...catalogue].map(itemOf)
  adoptVendors(items)
  tieVersions(items)
  settleContexts(items)
  settleSizes(items)
  settlePreviews(items)
  settleStamps(items)
  settleModes(items)
  return items.slice(0, offers.length).map(identityOf)
}

function itemOf(offer: Offer): Item {
  const reading = read(offer)
  return {
    ...reading,
    provider: offer.providerID,
    date: offer.releaseDate ?? "",
    undated: reading.stamp === "",
    written: reading.stamp !== "",
  }
}

function identityOf(item: Item): Identity {
  const name = [item.name, item.version, item.size, item.preview ? "preview" : "", item.mode, item.stamp]
    .filter((part) => part !== "")
    .join("-")
  return {
    key: item.vendor ? item.vendor + "/" + name : name,
    name,
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
function groups(items: readonly Item[], key: (item: Item) => string) {
  const found = new Map<string, Item[]>()
  for (const item of items) {
    const name = key(item)
    const group = found.get(name)
    if (group) group.push(item)
    if (!group) found.set(name, [item])
  }
  return [...found.values()]
}

function stem(item: Item) {
  return `${item.vendor}\n${item.name}\n${item.version}\n${item.size}\n${item.preview}`
}

// A name that the table does not know takes the one organisation that others put in front of it.
function adoptVendors(items: readonly Item[]) {
  const unknown = items.filter((item) => item.row < 0)
  for (const group of groups(unknown, (item) => item.name)) {
    const vendors = new Set(group.map((item) => item.vendor).filter((vendor) => vendor !== ""))
    if (vendors.size !== 1) continue
    const [vendor] = vendors
    for (const item of group) item.vendor = vendor
  }
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
  for (const group of groups(items, stem)) {
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
  const key = (item: Item) => {
    const release = vendorOf(item)?.versions ? item.stamp : ""
    return `${item.vendor}\n${item.name}\n${item.version}\n${item.preview}\n${release}`
  }
  for (const group of groups(items, key)) {
    const known = new Set(group.map((item) => item.size).filter((size) => size !== ""))
    const only = known.size === 1 && group.some((item) => !item.size) ? [...known][0] : undefined
    const own = sizes.get(group[0].name) ?? only
    for (const item of group) if (item.size === own) item.size = ""
  }
}

// While the vendor's own providers list a model as preview only, its plain name means the preview.
function settlePreviews(items: readonly Item[]) {
  const key = (item: Item) => `${item.vendor}\n${item.name}\n${item.version}\n${item.size}\n${item.mode}`
  for (const group of groups(items, key)) {
    const vendor = vendorOf(group[0])
    if (!vendor || !group.some((item) => item.preview)) continue
    const own = group.filter((item) => vendor.providers.includes(item.provider))
    if (own.length > 0 && own.every((item) => item.preview)) for (const item of group) item.preview = false
  }
}

function settleStamps(items: readonly Item[]) {
  for (const group of groups(items, stem)) {
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
    if (policy === "original") original(group, vendor)
  }
}

// Where the vendor itself lists a hybrid under the plain name, the instruct model is another one.
function settleModes(items: readonly Item[]) {
  const hybrids = items.filter((item) => vendorOf(item)?.hybrid && !item.mode && !item.stamp)
  for (const group of groups(hybrids, stem)) {
    const own = vendorOf(group[0])?.providers ?? []
    if (!group.some((item) => !item.instruct && own.includes(item.provider))) continue
    for (const item of group) if (item.instruct) item.mode = "instruct"
  }
}

function digits(date: string) {
  return date.replaceAll("-", "")
}

// 0215 is 20260215 when only one snapshot of the model has that month and day.
function completeStamps(group: readonly Item[]) {
  const longer = new Set(group.map((item) => item.stamp).filter((stamp) => stamp.length === 8))
  if (longer.size === 0) return
  for (const item of group) {
    if (!item.stamp || item.stamp.length === 8) continue
    const fits = [...longer].filter((stamp) => matches(item.stamp, stamp))
    if (fits.length === 1) item.stamp = fits[0]
  }
}

// Whether the stamp can be the date, which has eight digits or, without a day, six.
function matches(stamp: string, date: string) {
  if (stamp.length === 6) return date.startsWith(stamp)
  if (date.length !== 8) return false
  if (stamp.length === 4) return date.endsWith(stamp)
  return stamp.length === 2 ? date.slice(4, 6) === stamp : date === stamp
}

function newest(group: readonly Item[], stamped: ReadonlySet<string>) {
  // Stamps without a year cannot be compared with each other, and a revision has no date at all.
  const dated = [...stamped].every((stamp) => stamp.length === 6 || stamp.length === 8)
  const last = [...stamped].reduce((a, b) => (a > b ? a : b))
  if (stamped.size === 1 && !(dated && isOlder(usualDate(group), last))) {
    for (const item of group) {
      if (item.stamp) item.undated = true
      item.stamp = ""
    }
    return
  }
  if (!dated) return
  for (const item of group) {
    if (item.stamp === last) item.undated = true
    // A host that dates it long before the newest snapshot is contested, so it stays apart.
    if (!item.stamp && !isOlder(digits(item.date), last)) item.stamp = last
  }
}

// Whether the date is more than three months before the stamp, both with a year.
function isOlder(date: string, stamp: string) {
  return isDate(date) && months(stamp) - months(date) > 3
}

function isDate(date: string) {
  return /^[0-9]{6}(?:[0-9]{2})?$/.test(date)
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
    if (item.stamp || !isDate(date)) continue
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

// The undated name is the first release: the snapshot that bears the date on which most say it came out.
function original(group: readonly Item[], vendor: Vendor | undefined) {
  const plain = group.filter((item) => !item.stamp && !item.instruct && !item.mode)
  const split = vendor?.hybrid === true && plain.length > 0
  const first = usualDate(split ? plain : group)
  const stamped = group.filter((item) => item.stamp)
  const last = new Map<string, string>()
  for (const item of stamped) {
    const mode = item.instruct + item.mode
    const before = last.get(mode)
    if (before === undefined || item.stamp > before) last.set(mode, item.stamp)
  }
  for (const item of stamped) {
    if (!first || !matches(item.stamp, first)) continue
    item.stamp = ""
    item.undated = true
  }
  if (!split) return
  const written = new Set(stamped)
  for (const item of group) {
    if (item.stamp || written.has(item) || (!item.instruct && !item.mode)) continue
    item.stamp = last.get(item.instruct + item.mode) ?? ""
  }
}
