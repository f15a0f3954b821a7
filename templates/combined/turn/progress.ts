/** How far an answer has got, and for how long nothing of it has come. */

/** What came last. */
export type Phase = "request" | "reasoning" | "text" | "tool input" | "tool"

const PHASES: Readonly<Partial<Record<string, Phase>>> = {
  "reasoning-start": "reasoning",
  "reasoning-delta": "reasoning",
  "text-start": "text",
  "text-delta": "text",
  "tool-input-start": "tool input",
  "tool-input-delta": "tool input",
  "tool-call": "tool",
  "tool-result": "tool",
  "tool-error": "tool",
}

/** Kept by the driver, which sets `pulling` when it starts to wait for events. The clock is `performance.now`. */
export type Progress = {
  phase: Phase
  firstToken: number | undefined
  /** Milliseconds of silence in earlier pulls, and when the current pull started. */
  silent: number
  pulling: number | undefined
}

export function make(): Progress {
  return { phase: "request", firstToken: undefined, silent: 0, pulling: undefined }
}

/** Records the events of a pull. Returns whether any of them came from the model. */
export function note(progress: Progress, events: readonly { readonly type: string }[]) {
  const phase = events.map((event) => PHASES[event.type]).findLast((item) => item !== undefined)
  // Keep-alive comments are not events, and the event that opens a step says nothing about the model.
  progress.silent = phase ? 0 : silence(progress)
  progress.pulling = undefined
  if (!phase) return false
  progress.phase = phase
  progress.firstToken ??= Date.now()
  return true
}

/** For how many milliseconds nothing of the answer has come. */
export function silence({ silent, pulling }: Progress) {
  return silent + (pulling === undefined ? 0 : performance.now() - pulling)
}

export * as CombinedProgress from "./progress"
