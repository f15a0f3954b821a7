/** Hands a part of the work to a subagent with a session of its own. */
import { Effect, Option, Schema } from "effect"
import type { Config } from "../config/config"
import { Provider } from "../provider/provider"
import { MessageV2 } from "../session/message-v2"
import type { SessionPrompt } from "../session/prompt"
import type { Session } from "../session/session"
import { type Definition, parameters, text, type Where } from "./tool"

type Dependencies = {
  readonly sessions: Session.Interface
  readonly agents: NonNullable<Config.Info["agent"]>
  readonly prompt: SessionPrompt.Interface["prompt"]
}

const Parameters = Schema.Struct({
  description: Schema.String,
  prompt: Schema.String,
  subagent_type: Schema.optional(Schema.String),
})

const decode = Schema.decodeUnknownEffect(Parameters)

export function define({ sessions, agents, prompt }: Dependencies): Definition {
  const run = (params: typeof Parameters.Type, where: Where) =>
    Effect.gen(function* () {
      const found = yield* sessions.findMessage(where.sessionID, (item) => item.info.id === where.messageID)
      const msg = Option.getOrThrow(found)
      if (msg.info.role !== "assistant") return yield* Effect.fail(new Error("A task needs an assistant's message"))
      const wanted = agents[params.subagent_type ?? ""]?.model
      const next = { model: wanted ? Provider.parseModel(wanted) : undefined }
      const model = next.model ?? {
        modelID: msg.info.modelID,
        providerID: msg.info.providerID,
      }
      const session = yield* sessions.create({ parentID: where.sessionID, title: params.description })
      const answer = yield* prompt({ sessionID: session.id, text: params.prompt, model })
      return { title: params.description, output: MessageV2.text(answer?.parts ?? []) }
    })

  return {
    id: "task",
    description: "Let a subagent do a part of the work",
    parameters: parameters(
      { description: text("A few words"), prompt: text("What to do"), subagent_type: text("Name of an agent") },
      ["description", "prompt"],
    ),
    execute: (args, where) => decode(args).pipe(Effect.flatMap((params) => run(params, where))),
  }
}

export * as TaskTool from "./task"
