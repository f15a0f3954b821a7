import { CombinedLog } from "@opencode-ai/core/combined/host/log"
import { CombinedAttempts } from "@opencode-ai/core/combined/view/attempts"
import { Effect } from "effect"
import { Runtime } from "../framework/runtime"
import { CombinedOutput } from "./output"
import { CombinedSpec } from "./spec"

export default Runtime.handler(
  CombinedSpec.spec.commands.attempts,
  Effect.fn("cli.combined.attempts")(function* (input) {
    const attempts = CombinedAttempts.last(CombinedLog.read(), input.last)
    if (input.json) return yield* CombinedOutput.json({ attempts })
    const width = process.stdout.isTTY ? process.stdout.columns : 500
    return yield* CombinedOutput.print(
      attempts.length ? attempts.map((item) => CombinedAttempts.line(item, width)) : ["No attempts are recorded."],
    )
  }),
)
