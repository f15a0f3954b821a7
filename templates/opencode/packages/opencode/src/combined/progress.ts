/** How the answer to a user's message goes, over all the attempts at it. Kept by this process while the turn lasts. */

export type Failed = { readonly provider: string; readonly member: string; readonly message: string }

export type Progress = {
  /** What failed since the last answer, the first failure first. */
  failures: Failed[]
  /** How often all members were out and one was waited for, since the last answer. */
  waits: number
  /** Attempts that were taken back. They are not steps of the agent. */
  retracted: number
  /** A member with no more room than this, in tokens, was too small for the conversation. */
  outgrown: number
}

const records = new Map<string, Progress>()

/** They are small and end with the process; this only bounds a server that runs for months. */
const MOST_RECORDS = 1000

const fresh = (): Progress => ({ failures: [], waits: 0, retracted: 0, outgrown: -1 })

/** The record of a user's message, to be changed. */
export function of(parentID: string): Progress {
  const known = records.get(parentID)
  if (known) return known
  const made = fresh()
  records.set(parentID, made)
  const [oldest] = records.keys()
  if (records.size > MOST_RECORDS) records.delete(oldest)
  return made
}

export function peek(parentID: string | undefined): Readonly<Progress> {
  return (parentID !== undefined && records.get(parentID)) || fresh()
}

export function answered(parentID: string) {
  const record = records.get(parentID)
  if (!record) return
  record.failures = []
  record.waits = 0
}

export * as CombinedProgress from "./progress"
