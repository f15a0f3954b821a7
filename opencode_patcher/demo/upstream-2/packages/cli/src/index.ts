import { parseArgs } from "util"
import { Catalog } from "@opencode-ai/core/catalog"
import { Effect } from "effect"
import { Locations } from "./locations"
import { run } from "./run/index"
import { serve } from "./server"
import { version } from "./version"

const USAGE = `opencode2 serve [--hostname NAME] [--port NUMBER]
opencode2 run [-m provider/model] [--auto] MESSAGE
opencode2 models     list the models
opencode2 --version`

const { values, positionals } = parseArgs({
  args: process.argv.slice(2),
  allowPositionals: true,
  options: {
    version: { type: "boolean", short: "v" },
    help: { type: "boolean", short: "h" },
    hostname: { type: "string", default: "127.0.0.1" },
    port: { type: "string", default: "0" },
    model: { type: "string", short: "m" },
    auto: { type: "boolean", default: false },
  },
})

const [command, ...rest] = positionals

const list = Effect.gen(function* () {
  for (const { id, providerID } of yield* (yield* Catalog.Service).model.available()) console.log(`${providerID}/${id}`)
})

async function main() {
  if (values.version) return console.log(version)
  switch (command) {
    case "serve":
      serve({ hostname: values.hostname, port: Number(values.port), password: process.env.OPENCODE_PASSWORD })
      return new Promise(() => {})
    case "run":
      return run({ message: rest.join(" "), model: values.model, auto: values.auto })
    case "models":
      return Locations.at(process.cwd()).runPromise(list)
  }
  console.log(USAGE)
  if (command !== undefined && !values.help) process.exitCode = 1
}

await main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error))
  process.exitCode = 1
})

// What still waits in the background must not hold up the user.
process.exit()
