/** Whether a silent member is abandoned for another one, and when to check again. Pure. */
import { CombinedDecide, type Limit, type Settings } from "./decide"

/** How often an overlong silence is checked again while no other member can answer. */
const LOOK_AGAIN = 1000

/** The longest sleep between two checks of a silence, because meanwhile a tool may end or the clock may be set. */
const LONGEST_LOOK = 60_000

export type Facts = {
  readonly settings: Settings
  /** Milliseconds of silence, without the time that tools or OpenCode itself took. */
  readonly silence: number
  /** How many of these passed without any sign of life; 0 if unknown. */
  readonly lost: number
  readonly started: boolean
}

/**
 * A silent member is abandoned only for another one that can answer. Returns when to check again; undefined means
 * abandon it.
 */
export function lookAgain(facts: Facts & { readonly others: boolean }): number | undefined {
  const { settings, silence, lost } = facts
  if (!CombinedDecide.movesOn(settings, "timeout")) return LONGEST_LOOK
  const limit = limitOf(facts)
  // A tool may end, or the first token may arrive, long before the time is over. Then a shorter limit may apply.
  if (!exceeded(facts))
    return Math.min(limit.alive - silence, limit.lost - lost, settings.stall.lost, settings.stall.alive, LONGEST_LOOK)
  return facts.others ? undefined : LOOK_AGAIN
}

/** The limit that the silence has exceeded, if any. */
export function exceeded(facts: Facts): number | undefined {
  const { alive, lost } = limitOf(facts)
  if (facts.lost >= lost) return lost
  return facts.silence >= alive ? alive : undefined
}

const limitOf = ({ settings, started }: Facts): Limit => (started ? settings.stall : settings.firstToken)

export * as CombinedSilence from "./silence"
