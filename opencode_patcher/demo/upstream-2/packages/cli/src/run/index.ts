import { Catalog } from "@opencode-ai/core/catalog"
import { EventV2 } from "@opencode-ai/core/event"
import { Form } from "@opencode-ai/core/form"
import { ModelV2 } from "@opencode-ai/core/model"
import { SessionV2 } from "@opencode-ai/core/session"
import { provideClient } from "@opencode-ai/tui/context/client"
import { Session } from "@opencode-ai/tui/routes/session/index"
import { Effect } from "effect"
import { Locations } from "../locations"
import { runNonInteractivePrompt, type Client } from "./noninteractive"

type Options = { readonly message: string; readonly model: string | undefined; readonly auto: boolean }

/** Answers one message in a new session of the project in this directory. */
export async function run({ message, model, auto }: Options) {
  const here = Locations.at(process.cwd())
  const { catalog, events, forms, sessions } = await here.runPromise(
    Effect.all({ catalog: Catalog.Service, events: EventV2.Service, forms: Form.Service, sessions: SessionV2.Service }),
  )
  const models = await here.runPromise(catalog.model.available())
  const session = await here.runPromise(sessions.create(model === undefined ? {} : { model: ModelV2.parse(model) }))
  const listen: Client["listen"] = (listener) => void here.runSync(events.listen(listener))
  provideClient({ models: () => models, listen })
  const client: Client = {
    form: {
      reply: ({ formID, answer }) => here.runPromise(forms.settle(formID, { status: "answered", answer })),
      cancel: ({ formID }) => here.runPromise(forms.settle(formID, { status: "cancelled" })),
    },
    prompt: (text) => here.runPromise(sessions.prompt(session.id, text)),
    listen,
  }
  const screen = Session({ sessionID: session.id })
  const asked = { client, sessionID: session.id, message, model: session.model, format: "default" as const, auto, screen }
  if (!(await runNonInteractivePrompt(asked))) process.exitCode = 1
}
