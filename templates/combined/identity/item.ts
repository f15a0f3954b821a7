// An offer whose identity is being determined: a reading that is modified in steps over the catalogue.
import type { Reading } from "./identity"
import { grouped, vendors, type Vendor } from "./rules"

export type Item = Reading & { provider: string; date: string; undated: boolean; written: boolean }

export function vendorOf(item: Item): Vendor | undefined {
  return item.row >= 0 ? vendors[item.row] : undefined
}

/** Items by vendor and name: each list has the offers of one model, in the order of the items. */
export function models(items: readonly Item[]) {
  const known = new Map<string, Map<string, Item[]>>()
  const found: Item[][] = []
  for (const item of items) {
    // Two maps, because a common key would have to be built and hashed for some thousand items.
    const names = known.get(item.vendor) ?? new Map<string, Item[]>()
    if (!names.size) known.set(item.vendor, names)
    const same = names.get(item.name)
    if (same) {
      same.push(item)
      continue
    }
    const made = [item]
    names.set(item.name, made)
    found.push(made)
  }
  return { groups: found, has: (vendor: string, name: string) => known.get(vendor)?.has(name) ?? false }
}

export type Models = ReturnType<typeof models>

/** What distinguishes the kinds of one model, except mode and snapshot. */
export function stem(item: Item) {
  return item.version + "\n" + item.size + "\n" + item.preview
}

/** Groups with equal keys. Most models are offered in only one way, and then there is nothing to divide. */
export function divide(items: readonly Item[], key: (item: Item) => string) {
  if (items.length === 1) return [items]
  const first = key(items[0])
  return items.every((item) => key(item) === first) ? [items] : [...grouped(items, key).values()]
}
