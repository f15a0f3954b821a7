// Reads failures, one a line, and prints what the TypeScript inside OpenCode makes of each, one a line.
import { CombinedFailure } from "../../templates/combined/failure/classify"

for await (const line of console) {
  if (!line) break
  const { error, inside, now } = JSON.parse(line)
  const { fault, row } = CombinedFailure.explain(error, now, inside === undefined ? {} : { inside: { event: inside } })
  console.log(JSON.stringify({ ...fault, row }))
}
