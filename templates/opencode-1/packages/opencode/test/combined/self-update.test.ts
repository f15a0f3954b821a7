import { expect } from "bun:test"
import { makeGlobalNode } from "@opencode-ai/core/effect/app-node"
import { LayerNode } from "@opencode-ai/core/effect/layer-node"
import { Cause, Effect, Exit, Layer } from "effect"
import { ChildProcessSpawner } from "effect/unstable/process"
import { CrossSpawnSpawner } from "@opencode-ai/core/cross-spawn-spawner"
import { Installation } from "@/installation"
import { testEffect } from "../lib/effect"

const started: string[] = []

const spawner = makeGlobalNode({
  service: ChildProcessSpawner.ChildProcessSpawner,
  layer: Layer.succeed(
    ChildProcessSpawner.ChildProcessSpawner,
    ChildProcessSpawner.make((command) => {
      started.push(command._tag)
      return Effect.die(new Error("the test expected no program to be run"))
    }),
  ),
  deps: [],
})

const it = testEffect(LayerNode.compile(Installation.node, [[CrossSpawnSpawner.node, spawner]]))

for (const method of ["curl", "npm", "pnpm", "bun", "brew", "choco", "scoop"] as const) {
  it.effect(`an update by ${method} is refused and says what to do, and nothing is run`, () =>
    Effect.gen(function* () {
      const installation = yield* Installation.Service
      const exit = yield* installation.upgrade(method, "99.0.0").pipe(Effect.exit)
      const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
      expect(error).toBeInstanceOf(Installation.UpgradeFailedError)
      expect(JSON.stringify(error)).toContain("opencode-patcher update")
      expect(started).toEqual([])
    }),
  )
}
