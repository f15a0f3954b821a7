export * as SessionRunnerLLM from "./llm"

import { LLMClient, LLMError, LLMEvent, isContextOverflowFailure } from "@opencode-ai/ai"
import { Cause, Effect, Exit, Fiber, FiberSet, Layer, Option, Semaphore, Stream } from "effect"
import { Database } from "../../database/database"
import { makeLocationNode } from "../../effect/app-node"
import { llmClient } from "../../effect/app-node-platform"
import { EventV2 } from "../../event"
import { PermissionV2 } from "../../permission"
import { Snapshot } from "../../snapshot"
import type { ToolRegistry } from "../../tool"
import { SessionCompaction } from "../compaction"
import { SessionContext } from "../context"
import { StepFailedError } from "../error"
import { SessionEvent } from "../event"
import type { SessionMessage } from "../message"
import { SessionModelRequest } from "../model-request"
import { SessionPending } from "../pending"
import { SessionProjector } from "../projector"
import type { SessionSchema } from "../schema"
import { SessionTitle } from "../title"
import { toSessionError } from "../to-session-error"
import { SessionUsage } from "../usage"
import { Service } from "./index"
import { createLLMEventPublisher } from "./publish-llm-event"
import { SessionRunnerRetry } from "./retry"

const INTERRUPTED = { type: "aborted", message: "The step was stopped" }
const STOPPED = { type: "aborted", message: "The tool was stopped" }

const isUserDeclined = ({ reasons }: Cause.Cause<unknown>) =>
  reasons.some((reason) => Cause.isDieReason(reason) && reason.defect instanceof PermissionV2.DeclinedError)

const layer = Layer.effect(
  Service,
  Effect.gen(function* () {
    const { db } = yield* Database.Service
    const events = yield* EventV2.Service
    const llm = yield* LLMClient.Service
    const context = yield* SessionContext.Service
    const modelRequests = yield* SessionModelRequest.Service
    const compaction = yield* SessionCompaction.Service
    const title = yield* SessionTitle.Service
    const snapshots = yield* Snapshot.Service
    yield* SessionProjector.Service
    const titled = new Set<SessionSchema.ID>()
    const forkTitle = yield* FiberSet.makeRuntime<never, void, never>()

    /** Asks a model once, and runs the tools that it calls. */
    const attemptStep = Effect.fn("SessionRunner.attemptStep")(function* (
      sessionID: SessionSchema.ID,
      promotion: SessionPending.Delivery | undefined,
      step: number,
      recoverOverflow: SessionCompaction.Interface["compact"] | undefined,
      assistantMessageID: SessionMessage.ID | undefined,
    ) {
      const promoted = promotion ? yield* SessionPending.promoteSteers(db, events, sessionID) : 0
      const currentStep = promoted > 0 ? 1 : step
      const loaded = yield* context.load(yield* context.select(sessionID))
      const resolved = loaded.model
      const { model } = resolved
      const prepared = yield* modelRequests.prepare({ context: loaded })
      const toolFibers = yield* FiberSet.make<void, ToolRegistry.StartError>()
      const ownedToolFibers: Fiber.Fiber<void, ToolRegistry.StartError>[] = []
      let needsContinuation = false
      const startSnapshot = yield* snapshots.capture()
      const publisher = createLLMEventPublisher(events, {
        sessionID,
        agent: loaded.agent.id,
        model: resolved.ref,
        providerMetadataKey: model.route.providerMetadataKey ?? model.provider,
        assistantMessageID,
        snapshot: startSnapshot,
      })
      const publication = Semaphore.makeUnsafe(1)
      const serialized = <A, E, R>(effect: Effect.Effect<A, E, R>) => publication.withPermit(effect)
      const providerStream = llm.stream(prepared.request).pipe(
        Stream.runForEach((event) =>
          Effect.gen(function* () {
            yield* serialized(publisher.publish(event))
            if (LLMEvent.is.toolInputError(event)) needsContinuation = true
            if (!LLMEvent.is.toolCall(event) || event.providerExecuted) return
            needsContinuation = true
            const { id, name } = event
            const run = prepared
              .settle(event)
              .pipe(
                Effect.flatMap((result) => serialized(publisher.publish(LLMEvent.toolResult({ id, name, result })))),
              )
            ownedToolFibers.push(yield* FiberSet.run(toolFibers, run))
          }),
        ),
        Effect.ensuring(serialized(publisher.flush())),
      )

      const stepUsage = (settlement: NonNullable<ReturnType<typeof publisher.stepSettlement>>) => ({
        cost: SessionUsage.calculateCost(resolved.cost, settlement.tokens),
        tokens: settlement.tokens,
      })

      const publishStepEnd = (settlement: NonNullable<ReturnType<typeof publisher.stepSettlement>>) =>
        Effect.gen(function* () {
          yield* events.publish(SessionEvent.Step.Ended, {
            sessionID,
            assistantMessageID: yield* publisher.startAssistant(),
            finish: settlement.finish,
            ...stepUsage(settlement),
          })
        })

      return yield* Effect.uninterruptibleMask((restore) =>
        Effect.gen(function* () {
          const stream = yield* restore(providerStream).pipe(Effect.exit)
          const failed = Option.getOrUndefined(Exit.findErrorOption(stream))
          const streamInterrupted = causeOf(stream).some(Cause.hasInterrupts)
          if (recoverOverflow && isContextOverflowFailure(failed) && !publisher.hasRetryEvidence()) {
            const plan = { session: loaded.session, messages: loaded.messages, model, cost: resolved.cost }
            if ((yield* restore(recoverOverflow(plan))).status === "completed")
              return { _tag: "Compacted", step: currentStep } as const
          }
          if (failed instanceof LLMError && !publisher.hasProviderError()) {
            const error = toSessionError(failed)
            if (SessionRunnerRetry.isRetryable(failed) && !publisher.hasRetryEvidence()) {
              const started = { assistantMessageID: yield* publisher.startAssistant(), step: currentStep }
              return yield* new SessionRunnerRetry.RetryableFailure({ ...started, cause: failed, error })
            }
            yield* serialized(publisher.failAssistant(error))
          }

          // The tools that have started end before the step does.
          if (streamInterrupted) yield* FiberSet.clear(toolFibers)
          const awaited = Effect.forEach(ownedToolFibers, Fiber.await, { concurrency: "unbounded" })
          const ended = yield* Effect.exit(restore(awaited))
          if (Exit.isFailure(ended)) yield* FiberSet.clear(toolFibers)
          const causes = Exit.isFailure(ended) ? [ended.cause] : ended.value.flatMap(causeOf)
          const toolsInterrupted = causes.some(Cause.hasInterrupts)
          const userDeclined = causes.some(isUserDeclined)
          const infraError = causes.map((cause) => Option.getOrUndefined(Cause.findErrorOption(cause))).find(Boolean)
          if (userDeclined || streamInterrupted || toolsInterrupted)
            yield* serialized(publisher.failAssistant(INTERRUPTED))
          if (infraError) yield* serialized(publisher.failAssistant(toSessionError(infraError)))
          if (publisher.stepFailure())
            yield* serialized(publisher.failUnsettledTools(STOPPED))

          const settlement = publisher.stepSettlement()
          const failure = publisher.stepFailure()
          if (settlement && !failure) yield* publishStepEnd(settlement)
          if (failure) yield* publisher.publishStepFailure(settlement ? stepUsage(settlement) : {})
          if (stream._tag === "Failure") return yield* Effect.failCause(stream.cause)
          if (userDeclined || toolsInterrupted) return yield* Effect.interrupt
          if (infraError) return yield* infraError
          if (failure) return yield* new StepFailedError({ error: failure })
          return { _tag: "Completed", needsContinuation, step: currentStep } as const
        }),
      )
    }, Effect.scoped)

    /** Asks until there is an answer, or the error is final. */
    const runStep = Effect.fnUntraced(function* (
      sessionID: SessionSchema.ID,
      promotion: SessionPending.Delivery | undefined,
      step: number,
    ) {
      let recoverOverflow: SessionCompaction.Interface["compact"] | undefined = compaction.compact
      let currentPromotion = promotion
      let currentStep = step
      let assistantMessageID: SessionMessage.ID | undefined
      let failures = 0
      while (true) {
        const attempt = yield* Effect.suspend(() =>
          attemptStep(sessionID, currentPromotion, currentStep, recoverOverflow, assistantMessageID),
        ).pipe(Effect.catchTag("SessionRunner.RetryableFailure", (failure) => Effect.succeed(failure)))
        currentPromotion = undefined
        currentStep = attempt.step
        if (attempt._tag === "Completed") return attempt
        if (attempt._tag === "Compacted") {
          recoverOverflow = undefined
          continue
        }
        const { cause, error } = attempt
        assistantMessageID = attempt.assistantMessageID
        if (failures === SessionRunnerRetry.RETRIES) {
          yield* events.publish(SessionEvent.Step.Failed, { sessionID, assistantMessageID, error })
          return yield* cause
        }
        const pause = SessionRunnerRetry.pause(cause, failures)
        failures += 1
        yield* events.publish(SessionEvent.RetryScheduled, {
          sessionID,
          assistantMessageID,
          attempt: failures,
          at: Date.now() + pause,
          error,
        })
        yield* Effect.sleep(pause)
      }
    })

    const drain = Effect.fn("SessionRunner.drain")(function* (input: {
      readonly sessionID: SessionSchema.ID
      readonly force: boolean
    }) {
      const { sessionID } = input
      let step = 1
      let goesOn = input.force || (yield* SessionPending.has(db, sessionID))
      while (goesOn) {
        const result = yield* runStep(sessionID, "steer", step)
        if (!titled.has(sessionID)) {
          titled.add(sessionID)
          const { session } = yield* context.select(sessionID)
          if (!session.title) forkTitle(title.generateForFirstPrompt(session))
        }
        step = result.step + 1
        goesOn = result.needsContinuation || (yield* SessionPending.has(db, sessionID))
      }
    })

    return Service.of({ drain })
  }),
)

const causeOf = <A, E>(exit: Exit.Exit<A, E>) => (exit._tag === "Failure" ? [exit.cause] : [])

export const node = makeLocationNode({
  service: Service,
  layer,
  deps: [
    Database.node,
    EventV2.node,
    llmClient,
    SessionContext.node,
    SessionModelRequest.node,
    SessionCompaction.node,
    SessionTitle.node,
    SessionProjector.node,
    Snapshot.node,
  ],
})
