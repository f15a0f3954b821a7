/** What `opencode run` says of who is serving, and of why it changes. */

const PREFIX = "serving:"

/** What a status of a session begins with when it says that another member goes on. The TUI looks for the same words. */
export const SWITCH = "Failover: "

/** The line that says who takes over from whom. `variant` is the one that the new member lacks. */
export function switched(
  failed: string,
  reason: string,
  next: { readonly providerID: string; readonly variant: string | undefined },
) {
  const without = next.variant === undefined ? "" : ` without the variant ${next.variant}`
  return `${SWITCH}${failed} (${reason}), ${next.providerID} goes on${without}`
}

/** The line to print for an event of the server, if it is one of those. */
export function announced(event: { readonly type: string; readonly properties: unknown }, sessionID: string) {
  if (event.type !== "session.status") return undefined
  const found = event.properties as { sessionID: string; status: { type: string; message?: string; next?: number } }
  if (found.sessionID !== sessionID || found.status.type !== "retry") return undefined
  const { message, next = 0 } = found.status
  if (!message?.startsWith(SWITCH)) return undefined
  const seconds = Math.ceil((next - Date.now()) / 1000)
  return seconds > 0 ? `${message} (in ${seconds} s)` : message
}

/** Which provider is serving is said once; that is kept in the map in which upstream keeps what it has printed. */
export function changed(printed: Map<string, boolean>, providerID: string) {
  const key = PREFIX + providerID
  if (printed.has(key)) return false
  for (const other of [...printed.keys()].filter((item) => item.startsWith(PREFIX))) printed.delete(other)
  printed.set(key, true)
  return true
}

export * as CombinedNotice from "./notice"
