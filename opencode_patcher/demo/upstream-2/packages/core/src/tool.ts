/** The tools of a project; there is one. */
export * as ToolRegistry from "./tool"

import { spawn } from "child_process"
import type { ToolDefinition, ToolResultValue } from "@opencode-ai/ai"
import { Context, Data, Effect, Layer } from "effect"
import type { AgentV2 } from "./agent"
import { Location } from "./location"
import { PermissionV2 } from "./permission"

/** A tool could not be run at all. */
export class StartError extends Data.TaggedError("Tool.StartError")<{ readonly message: string }> {}

export interface Interface {
  readonly definitions: readonly ToolDefinition[]
  readonly settle: (
    agent: AgentV2.Info,
    call: { readonly name: string; readonly input: object },
  ) => Effect.Effect<ToolResultValue, StartError>
}

export class Service extends Context.Service<Service, Interface>()("@small/ToolRegistry") {}

const SHELL: ToolDefinition = {
  name: "shell",
  description: "Runs a command in the project's directory and returns what it prints.",
  inputSchema: { type: "object", properties: { command: { type: "string" } }, required: ["command"] },
}

const shell = (command: string, cwd: string) =>
  Effect.callback<ToolResultValue, StartError>((resume) => {
    const child = spawn(command, { cwd, shell: true, stdio: ["ignore", "pipe", "pipe"] })
    const chunks: Buffer[] = []
    for (const output of [child.stdout, child.stderr]) output.on("data", (chunk: Buffer) => chunks.push(chunk))
    child.on("error", ({ message }) => resume(Effect.fail(new StartError({ message }))))
    child.on("close", (code) => {
      const value = Buffer.concat(chunks).toString() || `exit code ${code}`
      resume(Effect.succeed({ type: code === 0 ? "text" : "error", value }))
    })
    return Effect.sync(() => child.kill())
  })

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const { directory } = yield* Location.Service
    return Service.of({
      definitions: [SHELL],
      settle: Effect.fnUntraced(function* ({ permissions }, { name, input }) {
        if (name !== SHELL.name) return { type: "error", value: `Unknown tool: ${name}` }
        if (!PermissionV2.isAllowed(permissions, name))
          return yield* Effect.die(new PermissionV2.DeclinedError(`${name} is not allowed`))
        return yield* shell("command" in input ? String(input.command) : "", directory)
      }),
    })
  }),
)

export const node = layer
