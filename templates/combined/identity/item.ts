// An offer while its identity is being settled: a reading that the steps over the catalogue change.
import type { Reading } from "./identity"
import { grouped, vendors, type Vendor } from "./rules"

export type Item = Reading & { provider: string; date: string; undated: boolean; written: boolean }

export function vendorOf(item: Item): Vendor | undefined {
  return item.row >= 0 ? vendors[item.row] : undefined
}

/** Vendor and name. The line break cannot be part of a vendor, so two models never share it. */
export function model(item: Item) {
  return item.vendor + "\n" + item.name
}

/** What tells the kinds of one model apart, but mode and snapshot. */
export function stem(item: Item) {
  return item.version + "\n" + item.size + "\n" + item.preview
}

/** Groups of equal key. Most models are offered in one way only: then there is nothing to divide. */
export function divide(items: readonly Item[], key: (item: Item) => string) {
  const first = key(items[0])
  return items.every((item) => key(item) === first) ? [items] : [...grouped(items, key).values()]
}
