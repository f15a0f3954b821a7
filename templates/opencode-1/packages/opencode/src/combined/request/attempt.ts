/**
 * One request to a member, observed from outside: how far it got, which tools it started, and whether it is still
 * alive.
 *
 * Tools run with their own abort signal, which a failing stream does not trigger, and their results are kept where a
 * failing stream cannot lose them.
 */
import type { Provider } from "@/provider/provider"
import type { LLM } from "@/session/llm"
import { Session } from "@/session/session"
import { LLMEvent, Usage } from "@opencode-ai/llm"
import { Array as Arr, Effect } from "effect"
import * as Stream from "effect/Stream"
import type { Tool } from "ai"
import { CombinedWatch } from "../host/watch"
import { CombinedGate } from "./gate"
import { CombinedRoute } from "../provider/route"
import { CombinedCalls } from "../history/calls"
import { CombinedClaude } from "../history/claude"
import { CombinedRebuild } from "../history/rebuild"
import type { CombinedDecide } from "../turn/decide"
import { CombinedProgress } from "../turn/progress"
import { CombinedVariant } from "../choice/variant"

type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: unknown }

export type Call = { readonly name: string; readonly input: unknown; readonly outcome: Promise<Outcome> }

export type Spent = ReturnType<typeof Session.getUsage>

export type Attempt = CombinedProgress.Progress & {
  readonly controller: AbortController
  readonly gate: CombinedGate.Gate
  readonly model: Provider.Model
  readonly calls: Map<string, Call>
  readonly began: number
  /** The requested variant, and the member's own variant for it. */
  readonly variant: { readonly asked: string | undefined; readonly own: string | undefined }
  logged: boolean
  /** The cost of this request alone, as reported at the end of the answer, in dollars at the member's price. */
  usage: Spent | undefined
  /** How many tools have started and not ended. */
  running: number
}

/** The current attempt at a member, if one has started. */
export function of(model: Provider.Model) {
  return CombinedRoute.of(model)?.state.attempt
}

export function make(input: LLM.StreamInput): Attempt {
  const route = CombinedRoute.of(input.model)
  const asked = route?.member.how?.variant ?? input.user.model.variant
  return {
    ...CombinedProgress.make(),
    variant: { asked, own: asked === undefined ? undefined : CombinedVariant.map(asked, route?.variants) },
    model: input.model,
    controller: new AbortController(),
    gate: { ...CombinedGate.open(), sees: (windows) => route?.see(windows) },
    calls: new Map(),
    began: Date.now(),
    logged: false,
    usage: undefined,
    running: 0,
  }
}

export function send(attempt: Attempt, input: LLM.StreamInput, through: LLM.Interface["stream"]) {
  const tools = Object.fromEntries(
    Object.entries(input.tools).map(([name, tool]) => [name, kept(attempt, name, tool)] as const),
  )
  const own = { ...input.user, model: { ...input.user.model, variant: attempt.variant.own } }
  const user = attempt.variant.own === input.user.model.variant ? input.user : own
  const messages = CombinedCalls.named(input.messages, input.model, CombinedRebuild.forgone(input.model).has("calls"))
  const request = CombinedClaude.silence({ ...input, agent: tempered(input), user, tools, messages })
  return Stream.transformPull(through({ ...request, model: CombinedGate.put(request.model, attempt.gate) }), (pull) =>
    Effect.succeed(
      Effect.suspend(() => {
        attempt.pulling = performance.now()
        return pull
      }).pipe(
        Effect.map((events) => Arr.map(events, (event) => whole(attempt, event))),
        Effect.tap((events) => Effect.sync(() => note(attempt, events))),
        // Close the gate before the SDK's streams are cancelled.
        Effect.onError(() => Effect.sync(() => void (attempt.gate.closed = true))),
      ),
    ),
  )
}

/** The agent with the user's options for this member that are part of the request. */
function tempered({ agent, model }: LLM.StreamInput) {
  const { temperature, top_p: topP } = CombinedRoute.of(model)?.member.how?.options ?? {}
  return {
    ...agent,
    ...(typeof temperature === "number" && { temperature }),
    ...(typeof topP === "number" && { topP }),
  }
}

/** If a connection just ends, the AI SDK closes the step without the tokens that the provider has already reported. */
function whole(attempt: Attempt, event: LLMEvent): LLMEvent {
  const { reported } = attempt.gate
  if (event.type !== "step-finish" || !reported || event.usage?.inputTokens !== undefined) return event
  return LLMEvent.stepFinish({ ...event, usage: reported })
}

/** Records what came. */
export function note(attempt: Attempt, events: readonly LLMEvent[]) {
  const step = events.find((event) => event.type === "step-finish")
  if (step)
    attempt.usage = Session.getUsage({
      model: attempt.model,
      usage: step.usage ?? new Usage({}),
      metadata: step.providerMetadata,
    })
  CombinedProgress.note(attempt, events)
}

/** The cost of the request, as far as the member reported it before its answer ended or broke off. */
export function spent(attempt: Attempt): Spent | undefined {
  const { model, gate } = attempt
  return attempt.usage ?? (gate.reported && Session.getUsage({ model, usage: gate.reported }))
}

/** What is known about the cost of an attempt, if there was one. Not every server reports its tokens. */
export function bill(attempt: Attempt | undefined) {
  const known = attempt && spent(attempt)
  const some =
    known && known.tokens.input + known.tokens.output + known.tokens.cache.read + known.tokens.cache.write > 0
  return { reported: some ? known.cost : undefined, answered: attempt?.firstToken !== undefined }
}

function kept(attempt: Attempt, name: string, tool: Tool): Tool {
  const execute = tool.execute
  if (!execute) return tool
  return {
    ...tool,
    execute(input, options) {
      // Otherwise a result, even an error, could arrive before the failure is noticed, and would be kept.
      if (attempt.gate.closed) return new Promise<never>(() => {})
      attempt.running++
      attempt.phase = "tool"
      const running = Promise.resolve(execute(input, { ...options, abortSignal: attempt.controller.signal }))
      const ended = () => {
        attempt.running--
        attempt.silent = 0
        if (attempt.pulling !== undefined) attempt.pulling = performance.now()
      }
      attempt.calls.set(options.toolCallId, {
        name,
        input,
        outcome: running.then(
          (value) => {
            ended()
            return { ok: true, value }
          },
          (error) => {
            ended()
            return { ok: false, error }
          },
        ),
      })
      // When the attempt is over, the SDK's stream of results has ended. A late result would cause an error that
      // nothing catches.
      const over = () => attempt.gate.closed || attempt.controller.signal.aborted
      return new Promise((resolve, reject) => {
        running.then(
          (value) => over() || resolve(value),
          (error) => over() || reject(error),
        )
      })
    },
  }
}

/** Ends a silent attempt. Time in which we handle an event, or a tool runs, does not count as silence. */
export const watch = (
  attempt: () => Attempt | undefined,
  settings: CombinedDecide.Settings,
  others: Effect.Effect<boolean>,
) =>
  CombinedWatch.watch(
    () => {
      const now = attempt()
      const silence = now ? silenceOf(now) : 0
      return { silence, lost: now && lostOf(now, silence), started: now?.firstToken !== undefined }
    },
    settings,
    others,
  )

function silenceOf(attempt: Attempt) {
  return attempt.running > 0 ? 0 : CombinedProgress.silence(attempt)
}

/**
 * How much of a silence has passed without any sign of life. What arrives while nothing is being read goes unnoticed.
 */
function lostOf({ gate }: Attempt, silence: number) {
  return gate.heard === undefined ? undefined : Math.min(silence, performance.now() - gate.heard)
}

export * as CombinedAttempt from "./attempt"
