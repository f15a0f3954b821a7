export * as PermissionV2 from "./permission"

import type { AgentV2 } from "./agent"

/** The user does not want this. The turn ends with it. */
export class DeclinedError extends Error {
  override readonly name = "PermissionDeclinedError"
}

/** What the settings say of a tool; nobody is asked by this small program. */
export function isAllowed(rules: AgentV2.Info["permissions"], tool: string) {
  const rule = rules.findLast(({ action }) => action === tool || action === "*")
  return (rule?.effect ?? "allow") === "allow"
}
