/** Asks once, and prints what a screen shows when the answer is whole. */
import type { EventV2 } from "@opencode-ai/core/event"
import type { Form } from "@opencode-ai/core/form"
import { UI } from "./ui"

type FormRequest = Pick<Form.Info, "id" | "sessionID" | "metadata">

type Answer = { readonly sessionID: string; readonly formID: string }

export type Client = {
  readonly form: {
    readonly reply: (input: Answer & { readonly answer: Readonly<Record<string, unknown>> }) => Promise<unknown>
    readonly cancel: (input: Answer) => Promise<unknown>
  }
  readonly prompt: (text: string) => Promise<unknown>
  readonly listen: (listener: (event: EventV2.Payload) => void) => void
}

type Input = {
  readonly client: Client
  readonly sessionID: string
  readonly message: string
  /** Yes to whatever is asked. */
  readonly auto: boolean
  readonly screen: () => string
}

const ENDS = ["session.execution.succeeded", "session.execution.failed", "session.execution.interrupted"]

const isForm = (event: EventV2.Payload): event is EventV2.Payload & { readonly data: { readonly form: FormRequest } } =>
  event.type === "form.created"

export async function runNonInteractivePrompt(input: Input) {
  // Nobody is there to answer.
  const cancelForm = async (request: Pick<FormRequest, "id" | "sessionID">) => {
    await input.client.form.cancel({ sessionID: request.sessionID, formID: request.id })
  }

  const ended = new Promise<string>((resolve) =>
    input.client.listen((event) => {
      if (isForm(event)) void cancelForm(event.data.form)
      if (ENDS.includes(event.type)) resolve(event.type)
    }),
  )
  await input.client.prompt(input.message)
  const how = await ended
  UI.println(input.screen())
  return how === "session.execution.succeeded"
}
