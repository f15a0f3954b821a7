import { CombinedEnding } from "@opencode-ai/core/combined/host/ending"
import { CombinedKnown } from "@opencode-ai/core/combined/view/known"
import { Effect, Option } from "effect"
import { Runtime } from "../framework/runtime"
import { CombinedOutput } from "./output"
import { CombinedSpec } from "./spec"

export default Runtime.handler(
  CombinedSpec.spec.commands.health,
  Effect.fn("cli.combined.health")(function* (input) {
    if (Option.isNone(input.action)) {
      const found = CombinedEnding.health()
      if (input.json) return yield* CombinedOutput.json(found)
      return yield* CombinedOutput.print(CombinedKnown.lines(found, Date.now(), "opencode2"))
    }
    const member = Option.getOrUndefined(input.member)
    const cleared = CombinedEnding.clear(member)
    if (!cleared.length && member) return yield* CombinedOutput.fail(`${member} is not being avoided.`)
    if (input.json) return yield* CombinedOutput.json({ cleared })
    return yield* CombinedOutput.print(
      cleared.length ? cleared.map((name) => `${name} can be asked again now.`) : ["No provider was being avoided."],
    )
  }),
)
