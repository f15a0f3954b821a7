/** Times and durations as providers write them, in milliseconds from now. Pure, and the same on every machine. */

const UNITS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

const CHINESE: readonly (readonly [string, string])[] = [
  ["秒", "s"],
  ["分", "m"],
  ["小时", "h"],
  ["天", "d"],
  ["周", "w"],
  ["星期", "w"],
]

/** The length of a unit, in English or Chinese. */
export function unit(word: string) {
  const known = word.startsWith("milli") ? "ms" : (CHINESE.find(([sign]) => word.includes(sign))?.[1] ?? word[0])
  return UNITS[known] ?? 0
}

/** A non-negative number in JSON's notation. */
export function number(text: string) {
  return /^\s*\d{1,400}(?:\.\d{1,400})?(?:e[+-]?\d{1,3})?\s*$/i.test(text) ? Number(text) : undefined
}

/** A duration ("6m0s"), a date, seconds from now, or seconds or milliseconds since the epoch. */
export function moment(text: string, now: number, zone?: string) {
  const value = number(text)
  if (value === undefined) return span(text) ?? date(text, now, zone)
  const found = value > 1e12 ? value - now : value > 1e9 ? value * 1000 - now : value * 1000
  return found > 0 && Number.isFinite(found) ? Math.ceil(found) : undefined
}

export function span(text: string) {
  if (!/^(?:\d{1,9}(?:\.\d{1,12})?(?:ms|[smhdw])){1,6}$/.test(text)) return undefined
  const pieces = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|[smhdw])/g)]
  return Math.ceil(pieces.reduce((sum, [, count, name]) => sum + Number(count) * UNITS[name], 0))
}

const ISO =
  /^(\d{4})[-年](\d{1,2})[-月](\d{1,2})日?(?:[T ]{1,2}(\d{1,2}):(\d\d)(?::(\d\d)(?:[.,]\d{1,9})?)?)? ?(.{0,12})$/

/** RFC 9110 5.6.7, as in Retry-After. */
const HTTP = /^(?:[A-Z][a-z]{2}, )?(\d{1,2}) ([A-Z][a-z]{2}) (\d{4}) (\d\d):(\d\d):(\d\d) (.{1,12})$/

/**
 * Milliseconds until a future date. A date without a zone is read in `zone`; if that is unknown too, the date is
 * ignored.
 */
export function date(text: string, now: number, zone?: string) {
  const iso = ISO.exec(text.trim())
  if (iso) {
    const [, year, month, day, hour = "0", minute = "0", second = "0", named] = iso
    return until([year, month, day, hour, minute, second].map(Number), named || zone, now)
  }
  const http = HTTP.exec(text.trim())
  if (!http) return undefined
  const [, day, month, year, hour, minute, second, named] = http
  return until([year, monthOf(month), day, hour, minute, second].map(Number), named, now)
}

const LETTERS =
  /^(?:(\d{1,2}) )?([A-Za-z]{3})[a-z]{0,6}\.?(?: (\d{1,2})(?:st|nd|rd|th)?)?,?(?: (\d{4}))?,?(?: at)? (\d{1,2}):(\d\d)(?::(\d\d))?(?: ?([AP]M))?$/i

/** A date with the name of its month. Without a year, the next such date. */
export function letters(text: string, now: number, zone: string) {
  const found = LETTERS.exec(text.trim())
  const day = found?.[1] ?? found?.[3]
  if (!found || day === undefined) return undefined
  const hour = hours(Number(found[5]), found[8])
  if (hour === undefined) return undefined
  const rest = [monthOf(found[2]), Number(day), hour, Number(found[6]), Number(found[7] ?? 0)]
  if (found[4] !== undefined) return until([Number(found[4]), ...rest], zone, now)
  const year = new Date(now).getUTCFullYear()
  return until([year, ...rest], zone, now) ?? until([year + 1, ...rest], zone, now)
}

/** The hour, from a 12-hour or 24-hour clock. */
export function hours(hour: number, half: string | undefined) {
  if (half === undefined) return hour < 24 ? hour : undefined
  if (hour < 1 || hour > 12) return undefined
  return (hour % 12) + (half.trim().toLowerCase() === "pm" ? 12 : 0)
}

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]

const monthOf = (name: string) => MONTHS.indexOf(name.toLowerCase()) + 1

function until([year, month, day, hour, minute, second]: readonly number[], zone: string | undefined, now: number) {
  const offset = zone === undefined ? undefined : offsetOf(zone)
  if (offset === undefined || year < 1970 || month < 1 || month > 12 || day < 1 || day > 31) return undefined
  if (hour > 24 || minute > 59 || second > 60) return undefined
  const found = Date.UTC(year, month - 1, day, hour, minute, second) - offset - now
  return found > 0 ? found : undefined
}

/** The offset from UTC in milliseconds: "Z", "UTC", "+0800", "+08:00 CST", "UTC+8", "北京时间". */
function offsetOf(zone: string) {
  if (zone === "北京时间") return 8 * UNITS.h
  const found = /^\(?(?:Z|UTC|GMT|(?=[+-]))(?:([+-])(\d{1,2})(?::?(\d\d))?)?(?: [A-Z]{2,5})?\)?$/i.exec(zone.trim())
  if (!found) return undefined
  const [, sign, hour = "0", minute = "0"] = found
  return (sign === "-" ? -1 : 1) * (Number(hour) * UNITS.h + Number(minute) * UNITS.m)
}

/** The offset of a zone from UTC at a moment: a zone in one of the forms above, or a name such as "Asia/Seoul". */
export function zone(name: string, now: number) {
  const fixed = offsetOf(name)
  if (fixed !== undefined) return fixed
  try {
    const parts = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" }).formatToParts(now)
    return offsetOf(parts.find((part) => part.type === "timeZoneName")?.value ?? "")
  } catch {
    return undefined
  }
}

export * as CombinedMoment from "./moment"
