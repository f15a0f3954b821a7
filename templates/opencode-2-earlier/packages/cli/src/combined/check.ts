import { CombinedText } from "@opencode-ai/core/combined/text"
import { Effect } from "effect"
import { Runtime } from "../framework/runtime"
import { CombinedOutput } from "./output"
import { CombinedReportRequest } from "./report"
import { CombinedSpec } from "./spec"

export default Runtime.handler(
  CombinedSpec.spec.commands.check,
  Effect.fn("cli.combined.check")(function* (input) {
    const report = yield* CombinedReportRequest.load(input).pipe(Effect.result)
    if (report._tag === "Failure") return yield* CombinedOutput.fail(report.failure.message)
    const { mistakes, sources } = report.success
    if (input.json) return yield* CombinedOutput.json({ mistakes, sources })
    const lines = mistakes.map(({ source, text }) => CombinedText.shown(source ? `${source}: ${text}` : text))
    return yield* CombinedOutput.print(lines.length ? lines : [`Nothing wrong in ${sources.length} files.`])
  }),
)
