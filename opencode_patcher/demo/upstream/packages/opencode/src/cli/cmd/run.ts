/** `opencode run`: one turn, as text or as a JSON object a line. */
import { EOL } from "os"
import { Effect } from "effect"
import { Bus } from "@/event"
import { Provider } from "@/provider/provider"
import { SessionPrompt } from "@/session/prompt"
import { Session } from "@/session/session"
import { UI } from "../ui"
import { messageTurnSummaryCommit } from "./run/turn-summary"

type Args = { message: string; format: string; model?: string; session?: string }

export const RunCommand = {
  handler: (args: Args) =>
    Effect.gen(function* () {
      const sessions = yield* Session.Service
      const prompts = yield* SessionPrompt.Service
      const provider = yield* Provider.Service
      const model = args.model ? Provider.parseModel(args.model) : yield* provider.defaultModel()
      const sessionID = args.session ?? (yield* sessions.create({})).id
      const events = { stream: Bus.subscribe() }

      const printing = Effect.promise(() => {
        function emit(type: string, data: object) {
          if (args.format !== "json") return false
          process.stdout.write(JSON.stringify({ type, timestamp: Date.now(), sessionID, ...data }) + EOL)
          return true
        }

        /** Shows the events of the session until it is idle, and tells whether there was an error. */
        async function loop() {
          const toggles = new Map<string, boolean>()
          let failed = false

          for await (const event of events.stream) {
            if (event.properties.sessionID !== sessionID) continue

            if (
              event.type === "message.updated" &&
              event.properties.info.role === "assistant" &&
              args.format !== "json" &&
              toggles.get("start") !== true
            ) {
              UI.println(`> ${event.properties.info.agent} · ${event.properties.info.modelID}`)
              toggles.set("start", true)
            }

            if (event.type === "message.part.updated") {
              const part = event.properties.part
              if (part.type === "tool" && part.state.status === "completed") {
                if (!emit("tool_use", { part })) UI.println(`| ${part.tool}: ${part.state.title}`)
              }
              if (part.type === "tool" && part.state.status === "error") {
                if (!emit("tool_use", { part })) UI.error(part.state.error)
              }
              if (part.type === "step-start") {
                emit("step_start", { part })
              }
              if (part.type === "step-finish") {
                emit("step_finish", { part })
              }
              if (part.type === "text" && part.time.end && !emit("text", { part })) UI.println(part.text)
            }

            if (event.type === "session.error") {
              failed = true
              const error = event.properties.error
              if (!emit("error", { error })) UI.error(error.data.message)
            }

            if (event.type === "session.status" && event.properties.status.type === "idle") break
          }
          return failed
        }

        return loop()
      })

      const turn = prompts.prompt({ sessionID, text: args.message, model })
      const [failed, answer] = yield* Effect.all([printing, turn], { concurrency: "unbounded" })
      if (failed) process.exitCode = 1
      const summary = answer && messageTurnSummaryCommit(answer, yield* provider.list())
      if (summary && args.format !== "json") UI.println(summary)
    }),
}
