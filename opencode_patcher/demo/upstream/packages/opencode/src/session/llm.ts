/** One request to a model: its events, with the results of the tools that it calls. */
import type { SessionV1 } from "@opencode-ai/core/v1/session"
import { LLMEvent, ToolResultValue } from "@opencode-ai/llm"
import type { ModelMessage, Tool } from "ai"
import { Context, Effect, Layer } from "effect"
import * as Stream from "effect/Stream"
import { Provider } from "@/provider/provider"

export type StreamInput = {
  user: SessionV1.User
  agent: { name: string; options: Record<string, unknown> }
  sessionID: string
  model: Provider.Model
  system: string[]
  messages: ModelMessage[]
  small?: boolean
  tools: Record<string, Tool>
  retries?: number
}

export interface Interface {
  readonly stream: (input: StreamInput) => Stream.Stream<LLMEvent, unknown>
}

export class Service extends Context.Service<Service, Interface>()("@small/LLM") {}

/** Nothing is asked of the user. */
const perm = { ask: () => Effect.void }

const live = Layer.effect(
  Service,
  Effect.gen(function* () {
    const provider = yield* Provider.Service

    const stream = (input: StreamInput) =>
      Stream.scoped(
        Stream.unwrap(
          Effect.gen(function* () {
            const language = yield* provider.getLanguage(input.model)
            const controller = yield* Effect.acquireRelease(
              Effect.sync(() => new AbortController()),
              (item) => Effect.sync(() => item.abort()),
            )
            const request = { ...input, abort: controller.signal }
            return Stream.fromAsyncIterable(withTools(language(request), request), (error) => error)
          }),
        ),
      )

    return Service.of({ stream })
  }),
)

export const layer = live

type Source = { readonly result?: IteratorResult<LLMEvent>; readonly tool?: LLMEvent }

/** A tool starts when its call is complete, and its result comes as soon as it is there; the last ends the step. */
async function* withTools(
  source: AsyncGenerator<LLMEvent>,
  request: StreamInput & { abort: AbortSignal },
): AsyncGenerator<LLMEvent> {
  const running = new Map<string, Promise<Source>>()
  const pull = () => source.next().then((result): Source => ({ result }))
  let next: Promise<Source> | undefined = pull()
  let last: LLMEvent | undefined
  while (next || running.size) {
    const won: Source = await Promise.race([...running.values(), ...(next ? [next] : [])])
    if (won.tool && "id" in won.tool) running.delete(won.tool.id)
    if (won.tool) yield won.tool
    if (!won.result) continue
    next = won.result.done ? undefined : pull()
    if (won.result.done) continue
    const event = won.result.value
    if (event.type === "step-finish") {
      last = event
      continue
    }
    yield event
    if (event.type === "tool-call") running.set(event.id, execute(event, request))
  }
  if (last) yield last
}

async function execute(
  call: Extract<LLMEvent, { type: "tool-call" }>,
  request: StreamInput & { abort: AbortSignal },
): Promise<Source> {
  const { id, name, input } = call
  try {
    const run = request.tools[name]?.execute
    if (!run) throw new Error(`There is no tool ${name}`)
    const value = await run(input, { toolCallId: id, messages: request.messages, abortSignal: request.abort })
    return { tool: LLMEvent.toolResult({ id, name, result: ToolResultValue.make(value) }) }
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error)
    return { tool: LLMEvent.toolError({ id, name, message, error }) }
  }
}

export * as LLM from "./llm"
