// Which snapshot an offer is: dates in one form, and the meaning of a name without a date.
//
// snapshots.py in opencode-patcher is the same in Python; the two agree on every input.
import { divide, stem, vendorOf, type Item } from "./item"
import { snapshots } from "./rules"

const DATE = /^[0-9]{6}(?:[0-9]{2})?$/
// The release date that most hosts give may be at most this many months before the only snapshot.
const SLACK_OF_MOST = 3
// One host's release date may be at most this many months before the newest snapshot, if there is an older one.
const SLACK_OF_ONE = 1

/** Determines the stamps of all offers of one model. */
export function settleStamps(items: readonly Item[]) {
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

// Whether the shorter stamp can mean the eight-digit date.
function matches(stamp: string, date: string) {
  if (stamp.length === 6) return date.startsWith(stamp)
  if (stamp.length === 4) return date.endsWith(stamp)
  return stamp.length === 2 && date.slice(4, 6) === stamp
}

// Whether the stamp can be a day in the month of the date.
function isSameMonth(stamp: string, date: string) {
  const month = monthOf(stamp)
  return DATE.test(date) && (month === date.slice(0, 6) || month === date.slice(4, 6))
}

// Year and month; only the month if the stamp has no year; nothing for a revision.
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

// It is unclear which snapshot the host serves, so the offer only joins others with the same date.
function contest(item: Item) {
  item.stamp = "undated-" + digits(item.date)
  item.undated = false
}

// Whether the date is more than that many months before the stamp, both with a year.
function isOlder(date: string, stamp: string, slack: number) {
  return DATE.test(date) && months(stamp) - months(date) > slack
}

function months(date: string) {
  return Number(date.slice(0, 4)) * 12 + Number(date.slice(4, 6))
}

// The release date that most of the undated offers give, as digits; "" if none does.
function usualDate(group: readonly Item[]) {
  const dates = new Map<string, number>()
  const counts = new Map<string, number>()
  for (const item of group) {
    const date = digits(item.date)
    if (item.stamp || !DATE.test(date)) continue
    dates.set(date, (dates.get(date) ?? 0) + 1)
    counts.set(date.slice(0, 6), (counts.get(date.slice(0, 6)) ?? 0) + 1)
  }
  const month = [...counts].reduce<[string, number] | undefined>(
    (best, entry) => (wins(entry, best) ? entry : best),
    undefined,
  )
  if (!month) return ""
  return [...dates]
    .filter(([date]) => date.startsWith(month[0]))
    .reduce((best, entry) => {
      if (entry[0].length !== best[0].length) return entry[0].length > best[0].length ? entry : best
      return wins(entry, best) ? entry : best
    })[0]
}

// The more frequent one, else the earlier one.
function wins(entry: [string, number], best: [string, number] | undefined) {
  if (!best) return true
  return entry[1] === best[1] ? entry[0] < best[0] : entry[1] > best[1]
}

// The name without a date means the first release: the only snapshot from the month that most offers give.
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
    // If a host's date is that of a later snapshot, the meaning is unclear, so the offer joins neither.
    if (!DATE.test(date) || date.slice(0, 6) === first.slice(0, 6)) continue
    if (later.has(date.slice(0, 6)) || later.has(date.slice(4, 6))) contest(item)
  }
}
