// Finds the vendor of a model if the table does not say it, from how others in the catalogue write the name.
//
// vendors.py in opencode-patcher is the same in Python; the two agree on every input.
import { vendorOf, type Item, type Models } from "./item"
import { squash } from "./scan"
import { grouped, ownTiers, vendorIDs, vendors } from "./rules"

const DIGIT = /[0-9]/
const PLAIN = /^[a-z0-9]*$/
// The most words of a vendor's name in front of a model's.
const VENDOR_WORDS = 3
// Shorter names are prefixes of too many others; the longest limits the work for long names.
const SHORTEST_VENDOR = 3
const LONGEST_VENDOR = 40

/** An organisation in front of a known family that is itself a provider is just the host behind a gateway. */
export function dropProviders(items: readonly Item[]) {
  const providers = new Set([...new Set(items.map((item) => item.provider))].map(squash))
  for (const item of items)
    if (item.row >= 0 && !vendorIDs.has(item.vendor) && providers.has(item.vendor)) item.vendor = vendors[item.row].id
}

/** Finds the vendor of names that the table does not know, from how others in the catalogue write them. */
export function adoptVendors(items: readonly Item[]) {
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

// The shortest of the others that is the start of the vendor's name, or the vendor itself.
function shortest(vendor: string, others: ReadonlyMap<string, number>) {
  if (others.size === 1 || !PLAIN.test(vendor)) return vendor
  for (let end = SHORTEST_VENDOR; end < Math.min(vendor.length, LONGEST_VENDOR); end++)
    if (others.has(vendor.slice(0, end))) return vendor.slice(0, end)
  return vendor
}

/** A name without digits and without a known vendor ("auto", "custom") is the provider's own product. */
export function keepHouseNames(items: readonly Item[]) {
  for (const item of items) if (item.row < 0 && !item.vendor && !DIGIT.test(item.name)) item.vendor = item.provider
}

/** A fast tier of open weights belongs to its host, unless the vendor itself has it. */
export function keepOwnTiers(group: readonly Item[], models: Models) {
  const { vendor, name } = group[0]
  const known = vendorOf(group[0])
  const words = name.split("-")
  if (known?.undated !== "original" || !words.some((word) => ownTiers.has(word))) return
  const rest = words.filter((word) => !ownTiers.has(word)).join("-")
  if (!models.has(vendor, rest)) return
  if (group.some((item) => known.providers.includes(item.provider))) return
  for (const item of group) item.name += "-" + item.provider
}
