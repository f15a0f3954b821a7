import { CombinedReport } from "@opencode-ai/core/combined/view/report"
import { Effect } from "effect"
import { Runtime } from "../framework/runtime"
import { CombinedOutput } from "./output"
import { CombinedReportRequest } from "./report"
import { CombinedSpec } from "./spec"

export default Runtime.handler(
  CombinedSpec.spec.commands.list,
  Effect.fn("cli.combined.list")(function* (input) {
    const report = yield* CombinedReportRequest.load(input).pipe(Effect.result)
    if (report._tag === "Failure") return yield* CombinedOutput.fail(report.failure.message)
    if (input.json) return yield* CombinedOutput.json(report.success)
    return yield* CombinedOutput.print(
      CombinedReport.lines(report.success, Date.now(), { program: "opencode2", login: "/connect in opencode2" }),
    )
  }),
)
