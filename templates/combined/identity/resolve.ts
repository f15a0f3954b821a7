// Which offers are the same model, according to the whole catalogue.
//
// resolve.py in opencode-patcher is the same in Python; the two agree on every input. The steps run in a fixed order,
// each on the result of the previous one.
import { divide, models, stem, vendorOf, type Item } from "./item"
import { read, type Reading, type Variant } from "./identity"
import { settleStamps } from "./snapshots"
import { grouped, sizes, versions } from "./rules"
import { adoptVendors, dropProviders, keepHouseNames, keepOwnTiers } from "./vendors"

export type Offer = { providerID: string; modelID: string; name: string; releaseDate?: string }

/**
 * `stem` is the name without a date. `undated`: the name without a date means this key. `written`: this id itself has a
 * date.
 */
export type Identity = {
  key: string
  name: string
  stem: string
  vendor: string
  variant: Variant
  undated: boolean
  written: boolean
}

/** The identities of the offers, in their order. The further offers in the catalogue only serve as information. */
export function resolve(offers: readonly Offer[], catalogue: readonly Offer[] = []): Identity[] {
  const items = [...offers, ...others(catalogue, offers)].map((offer) => itemOf(offer, read(offer)))
  dropProviders(items)
  adoptVendors(items)
  keepHouseNames(items)
  const first = models(items)
  for (const group of first.groups) keepOwnTiers(group, first)
  tieVersions(items)
  for (const group of models(items).groups) settleContexts(group)
  for (const group of models(items).groups) {
    settleSizes(group)
    settlePreviews(group)
    settleStamps(group)
    settleModes(group)
  }
  return items.slice(0, offers.length).map(identityOf)
}

function others(catalogue: readonly Offer[], offers: readonly Offer[]) {
  if (catalogue.length === 0) return []
  const own = new Set(offers.map(offerID))
  return catalogue.filter((offer) => !own.has(offerID(offer)))
}

function offerID(offer: Offer) {
  return offer.providerID + "/" + offer.modelID
}

function itemOf(offer: Offer, reading: Reading): Item {
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
  const stem =
    item.name + ending(item.version) + ending(item.size) + (item.preview ? "-preview" : "") + ending(item.mode)
  const name = stem + ending(item.stamp)
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

function ending(part: string) {
  return part && "-" + part
}

// If a vendor's versions are snapshots, an id with both shows which version and date belong together.
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

// A context window is a variant if the model is also offered without it, otherwise it is part of the name.
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

// A size is ignored when the catalogue has only one and some offers leave it out.
function settleSizes(items: readonly Item[]) {
  if (!items.some((item) => item.size)) return
  const vendor = vendorOf(items[0])
  // The sizes of closed models are tiers: gemini-1.5-flash-8b is not the same model as gemini-1.5-flash.
  if (!vendor || !(vendor.undated === "original" || vendor.versions)) return
  const key = (item: Item) => item.version + "\n" + item.preview + "\n" + (vendor.versions ? item.stamp : "")
  for (const group of divide(items, key)) {
    const known = new Set(group.map((item) => item.size).filter((size) => size !== ""))
    const only = known.size === 1 && group.some((item) => !item.size) ? [...known][0] : undefined
    const own = sizes.get(group[0].name) ?? only
    if (own !== undefined) for (const item of group) if (item.size === own) item.size = ""
  }
}

// While the vendor's own providers list a model only as a preview, its plain name means the preview.
function settlePreviews(items: readonly Item[]) {
  const vendor = vendorOf(items[0])
  if (!vendor || !items.some((item) => item.preview)) return
  for (const group of divide(items, (item) => item.version + "\n" + item.size + "\n" + item.mode)) {
    const own = group.filter((item) => vendor.providers.includes(item.provider))
    if (own.length > 0 && own.every((item) => item.preview)) for (const item of group) item.preview = false
  }
}

// If the vendor itself lists a hybrid under the plain name, the instruct model is a separate one.
function settleModes(items: readonly Item[]) {
  const vendor = vendorOf(items[0])
  if (!vendor?.hybrid || !items.some((item) => item.instruct)) return
  const hybrids = items.filter((item) => !item.mode && !item.stamp)
  for (const group of grouped(hybrids, stem).values()) {
    if (!group.some((item) => !item.instruct && vendor.providers.includes(item.provider))) continue
    for (const item of group) if (item.instruct) item.mode = "instruct"
  }
}
