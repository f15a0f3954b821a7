/** What the dialog and the footer say about a member. Pure. */
import { CombinedClock } from "@opencode-ai/core/combined/view/clock"
import { CombinedPicture } from "@opencode-ai/core/combined/view/picture"

type Row = CombinedPicture.Row

export const MARKS = {
  serving: "●",
  ready: "○",
  warm: "◉",
  cooling: "◌",
  skipped: "–",
} as const satisfies Record<CombinedPicture.Standing, string>

/** The price class, the used part of each limit, and the cost. */
export function account(row: Row) {
  return [
    row.price,
    ...row.windows.map((item) => `${Math.floor(item.used * 100)} % of ${item.name}`),
    ...(row.cost > 0 ? [`$${row.cost.toFixed(row.cost < 1 ? 3 : 2)}`] : []),
  ].join(" · ")
}

/** Everything else that is known, one fact per line. */
export function details(row: Row, now: number) {
  const error = row.lastError
  return [
    row.member,
    ...(row.cooldown?.whole ? ["The whole provider is left alone, not only this model."] : []),
    ...row.windows.map(
      (item) =>
        `${Math.floor(item.used * 100)} % of its ${item.name} used, ends ${CombinedClock.clock(item.ends, now)} (in ${CombinedClock.span(item.ends - now)})`,
    ),
    ...(error
      ? [
          `Last error, ${CombinedClock.clock(error.since, now)}: ${error.message} (${CombinedPicture.kindOf(error.kind)})`,
        ]
      : []),
  ]
}

/** The members that are cooling down, for the footer: "Alpha Cloud until 14:05". */
export function cooling(rows: readonly Row[], now: number) {
  return rows.flatMap((row) =>
    row.cooldown && row.cooldown.until > now
      ? [`${row.provider.name} until ${CombinedClock.clock(row.cooldown.until, now)}`]
      : [],
  )
}

export * as CombinedWords from "./words"
