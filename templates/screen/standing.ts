/**
 * What stays of a message when its step starts again. Upstream would keep all of it, because it only restarts a step
 * that has said nothing. Pure and without imports, because the screen uses it too.
 */

type Part = {
  readonly type: string
  readonly executed?: boolean
  readonly state?: { readonly status?: unknown } | Readonly<Record<string, unknown>>
}

/** Keeps our tools that have started (they may still run), and the text and thoughts before the last of them. */
export function of<Content extends Part>(content: readonly Content[]): Content[] {
  const last = content.findLastIndex(hasStarted)
  return content.filter((part, index) => index <= last && (part.type !== "tool" || hasStarted(part)))
}

/** A tool that the provider ran itself does not count: it is part of the answer. */
function hasStarted(part: Part) {
  if (part.type !== "tool" || part.executed === true) return false
  return part.state?.status !== undefined && part.state.status !== "streaming"
}

export * as CombinedRunnerStanding from "./standing"
