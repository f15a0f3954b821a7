import fs from "fs"
import path from "path"
import { parseArgs } from "util"
import { Global } from "@opencode-ai/core/global"
import { ModelsDev } from "@opencode-ai/core/models-dev"
import { App } from "@opencode-ai/tui/app"
import { Effect, Layer, Logger } from "effect"
import { Agent } from "./agent/agent"
import { BuildInfo } from "./build-info"
import { RunCommand } from "./cli/cmd/run"
import { UI } from "./cli/ui"
import { Config } from "./config/config"
import { Bus } from "./event"
import { Installation } from "./installation"
import { Provider } from "./provider/provider"
import { LLM } from "./session/llm"
import { SessionProcessor } from "./session/processor"
import { SessionPrompt } from "./session/prompt"
import { Session } from "./session/session"
import { SessionStatus } from "./session/status"

const USAGE = `opencode                            show the last session
opencode run [-m provider/model] [-s session] [--format json] MESSAGE
opencode models                     list the models
opencode agent create DESCRIPTION   make an agent, as -m provider/model describes it
opencode session list [--format json]
opencode export SESSION             print a session as JSON
opencode debug config               print the configuration as JSON
opencode upgrade VERSION            replace this program
opencode --version`

const log = Logger.map(Logger.formatLogFmt, (line) =>
  fs.appendFileSync(path.join(Global.Path.data, "opencode.log"), `${line}\n`),
)

const base = Layer.mergeAll(Config.layer, ModelsDev.layer, Session.layer, SessionStatus.layer)
const models = Layer.provideMerge(Provider.layer, base)
const requests = Layer.provideMerge(LLM.layer, models)
const steps = Layer.provideMerge(SessionProcessor.layer, requests)
const app = Layer.provideMerge(SessionPrompt.layer, steps)

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    version: { type: "boolean", short: "v" },
    help: { type: "boolean", short: "h" },
    format: { type: "string", default: "default" },
    model: { type: "string", short: "m" },
    session: { type: "string", short: "s" },
  },
})

const [command, ...rest] = positionals

const upgrade = Effect.gen(function* () {
  const installation = yield* Installation.Service
  yield* installation.upgrade(installation.method(), rest[0] ?? "latest")
}).pipe(Effect.provide(Installation.layer))

const list = Effect.gen(function* () {
  const provider = yield* Provider.Service
  for (const item of Object.values(yield* provider.list()))
    for (const id of Object.keys(item.models)) UI.println(`${item.id}/${id}`)
})

const agent = Effect.gen(function* () {
  const model = values.model ? Provider.parseModel(values.model) : undefined
  UI.println(yield* (yield* Agent.Service).generate({ description: rest.slice(1).join(" "), model }))
}).pipe(Effect.provide(Agent.layer))

const sessions = Effect.gen(function* () {
  UI.println(JSON.stringify(yield* (yield* Session.Service).list(), null, 2))
})

const dump = Effect.gen(function* () {
  const session = yield* Session.Service
  const info = yield* session.get(rest[0] ?? "")
  UI.println(JSON.stringify({ info, messages: yield* session.messages({ sessionID: info.id }) }, null, 2))
})

const debug = Effect.gen(function* () {
  UI.println(JSON.stringify(yield* (yield* Config.Service).get(), null, 2))
})

const show = Effect.gen(function* () {
  const session = yield* Session.Service
  const provider = yield* Provider.Service
  const [last] = yield* session.list()
  if (!last) return UI.println(USAGE)
  const messages = yield* session.messages({ sessionID: last.id })
  const providers = yield* provider.list()
  UI.println(App({ sessionID: last.id, providers, messages, listen: Bus.listen, note: UI.error }))
})

function main() {
  if (values.version) return Effect.sync(() => UI.println(BuildInfo.version))
  if (values.help) return Effect.sync(() => UI.println(USAGE))
  if (command === "run") return RunCommand.handler({ ...values, message: rest.join(" ") }).pipe(Effect.provide(app))
  if (command === "models") return list.pipe(Effect.provide(app))
  if (command === "agent") return agent.pipe(Effect.provide(app))
  if (command === "session") return sessions.pipe(Effect.provide(app))
  if (command === "export") return dump.pipe(Effect.provide(app))
  if (command === "debug") return debug.pipe(Effect.provide(app))
  if (command === "upgrade") return upgrade
  if (command === undefined) return show.pipe(Effect.provide(app))
  return Effect.fail(new Error(`There is no command ${command}\n${USAGE}`))
}

await Effect.runPromise(main().pipe(Effect.provide(Logger.layer([log])))).catch((error) => {
  UI.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
})

// As OpenCode does: what still waits in the background must not hold up the user.
process.exit()
