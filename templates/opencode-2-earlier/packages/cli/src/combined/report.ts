/** Asks a server for its report on the combined models of this directory. */
import { Service } from "@opencode-ai/client/effect/service"
import { CombinedReport } from "@opencode-ai/core/combined/view/report"
import { Effect, Option } from "effect"
import { ServerConnection } from "../services/server-connection"

type Asked = { readonly server: Option.Option<string>; readonly standalone: boolean; readonly all?: boolean }

/** The error if there is no report. Its message, which is shown to the user, says why. */
export class Failed extends Error {}

export const load = Effect.fn("cli.combined.report")(function* ({ server, standalone, all = false }: Asked) {
  const { endpoint } = yield* ServerConnection.resolve({ server: Option.getOrUndefined(server), standalone }).pipe(
    Effect.mapError((error) => new Failed(error instanceof Error ? error.message : String(error))),
  )
  const address = new URL("/combined/report", endpoint.url)
  address.searchParams.set("location[directory]", process.cwd())
  address.searchParams.set("all", String(all))
  return yield* Effect.tryPromise({
    try: async () => {
      const response = await fetch(address, { headers: Service.headers(endpoint) })
      if (response.status === 404)
        throw new Failed(`The server at ${endpoint.url} has no combined models: another OpenCode runs there.`)
      if (!response.ok) throw new Failed(`The server at ${endpoint.url} answered with ${response.status}.`)
      const report: CombinedReport.Report = JSON.parse(await response.text())
      if (report.format !== CombinedReport.FORMAT)
        throw new Failed(`The server at ${endpoint.url} is of another version. Restart it: opencode2 service restart`)
      return report
    },
    catch: (error) =>
      error instanceof Failed ? error : new Failed(`The server at ${endpoint.url} does not answer: ${String(error)}`),
  })
})

export * as CombinedReportRequest from "./report"
