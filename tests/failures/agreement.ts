// Reads failures, one a line, and prints what the TypeScript inside OpenCode makes of each, one a line.
import { CombinedFailure } from "../../templates/combined/failure/classify"
import { CombinedCooldown } from "../../templates/combined/health/cooldown"

for await (const line of console) {
  if (!line) break
  const { error, inside, now } = JSON.parse(line)
  const { fault, row } = CombinedFailure.explain(error, now, inside === undefined ? {} : { inside: { event: inside } })
  const state = CombinedFailure.cools(fault) ? CombinedCooldown.fail(new Map(), "provider", "model", fault, now) : new Map()
  const [cooldown] = [...state.values()]
  console.log(JSON.stringify({ fault: { ...fault, row }, cooldown: cooldown && cooldown.until - now }))
}
