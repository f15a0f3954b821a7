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
  readonly model?: { readonly providerID: string }
  readonly format: "default"
  /** Yes to whatever is asked. */
  readonly auto: boolean
  readonly screen: () => string
}

const ENDS = ["session.execution.succeeded", "session.execution.failed", "session.execution.interrupted"]

const isForm = (event: EventV2.Payload): event is EventV2.Payload & { readonly data: { readonly form: FormRequest } } =>
  event.type === "form.created"

/** The events one after the other, as they come. */
async function* inOrder({ listen }: Client) {
  const events: EventV2.Payload[] = []
  const waiting = { wake: () => {} }
  listen((event) => {
    events.push(event)
    waiting.wake()
  })
  yield { type: "connected", data: {} }
  while (true) {
    yield* events.splice(0)
    if (!events.length) await new Promise<void>((resolve) => (waiting.wake = resolve))
  }
}

export async function runNonInteractivePrompt(input: Input) {
  const stream = inOrder(input.client)
  await stream.next()

  /** It prints no JSON. */
  const emit = (_type: string, _timestamp: number, _data: Record<string, unknown>) => false

  // Nobody is there to answer.
  const cancelForm = async (request: Pick<FormRequest, "id" | "sessionID">) => {
    await input.client.form.cancel({ sessionID: request.sessionID, formID: request.id })
  }

  const consume = async () => {
    while (true) {
      const next = await stream.next().catch((error) => {
        throw new Error("The events have ended", { cause: error })
      })
      if (next.done) return
      const event = next.value
      if (isForm(event)) void cancelForm(event.data.form)
      if (ENDS.includes(event.type)) return event.type
      if (event.type === "session.step.started") {
        if (!emit("step_start", Date.now(), {})) UI.empty()
      }
    }
  }

  const ended = consume()
  await input.client.prompt(input.message)
  const how = await ended
  console.log(input.screen())
  return how === "session.execution.succeeded"
}
