/** Times as people write them: local times, and how long it is until then. Pure. */

const SECOND = 1000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const pad = (value: number) => String(value).padStart(2, "0")

/** "14:05", with the date if it is not today. */
export function clock(at: number, now: number) {
  const [then, today] = [new Date(at), new Date(now)]
  const time = `${pad(then.getHours())}:${pad(then.getMinutes())}`
  if (then.toDateString() === today.toDateString()) return time
  return `${then.getFullYear()}-${pad(then.getMonth() + 1)}-${pad(then.getDate())} ${time}`
}

/** "40 s", "12 min", "3 h", "2 days". Rounded up, because it says how long a reader has to wait. */
export function span(milliseconds: number) {
  const rest = Math.max(0, milliseconds)
  if (rest < 90 * SECOND) return `${Math.ceil(rest / SECOND)} s`
  if (rest < 90 * MINUTE) return `${Math.ceil(rest / MINUTE)} min`
  if (rest < 36 * HOUR) return `${Math.ceil(rest / HOUR)} h`
  return `${Math.ceil(rest / DAY)} days`
}

/** "until 14:05 (in 12 min)". */
export function until(at: number, now: number) {
  return `until ${clock(at, now)} (in ${span(at - now)})`
}

export * as CombinedClock from "./clock"
