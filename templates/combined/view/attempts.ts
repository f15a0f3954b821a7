/** Lines of the log of attempts in readable form, for `opencode combined attempts`. Pure. */
import { CombinedText } from "../text"
import { isObject, parsed } from "../value"

/** What happened next. Twin of OUTCOMES in opencode_patcher/attempts/line.py. */
const OUTCOMES = new Map([
  ["served", "answered"],
  ["moved", "switched"],
  ["waited", "waited"],
  ["repeated", "retried"],
])

/** The last readable lines of the log, oldest first. */
export function last(text: string, count: number): Record<string, unknown>[] {
  return text
    .split("\n")
    .flatMap((line) => {
      const value = line ? parsed(line) : undefined
      return isObject(value) ? [value] : []
    })
    .slice(-count)
}

/**
 * One attempt on one line of at most `width` columns: time, session, member, what happened next, and why or how much.
 */
export function line(attempt: Record<string, unknown>, width: number) {
  const text = (key: string) => (typeof attempt[key] === "string" ? CombinedText.shown(attempt[key]) : "")
  const start = new Date(text("start"))
  const failed = text("reason") || text("failure")
  const instead = text("instead_of") && `instead of ${text("instead_of")}`
  const parts = [
    Number.isNaN(start.getTime()) ? "".padEnd(19) : local(start),
    text("session").slice(-4).padEnd(4),
    text("provider").slice(0, 16).padEnd(16),
    (OUTCOMES.get(text("action")) ?? text("action")).padEnd(9),
    text("failure") ? failed : [took(attempt, start, text("end")), instead].filter((part) => part).join(", "),
  ]
  const whole = parts.join("  ").trimEnd()
  return whole.length > width ? `${whole.slice(0, width - 1)}…` : whole
}

function took({ cost }: Record<string, unknown>, start: Date, end: string) {
  const seconds = (Date.parse(end) - start.getTime()) / 1000
  const time = Number.isFinite(seconds) ? `${seconds.toFixed(1)} s` : ""
  return typeof cost === "number" && cost > 0 ? `${time}, $${cost.toFixed(4)}` : time
}

function local(at: Date) {
  const pad = (value: number) => String(value).padStart(2, "0")
  const date = [at.getFullYear(), pad(at.getMonth() + 1), pad(at.getDate())].join("-")
  return `${date} ${[at.getHours(), at.getMinutes(), at.getSeconds()].map(pad).join(":")}`
}

export * as CombinedAttempts from "./attempts"
