import { expect, test } from "bun:test"
import { makeGlobalNode } from "@opencode-ai/core/effect/app-node"
import { LayerNode } from "@opencode-ai/core/effect/layer-node"
import { Cause, Effect, Exit, Layer } from "effect"
import { ChildProcessSpawner } from "effect/unstable/process"
import { CrossSpawnSpawner } from "@opencode-ai/core/cross-spawn-spawner"
import { Installation } from "@/installation"
import { CombinedInstallation } from "@/combined/seam/installation"
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

for (const [program, command] of [
  [
    "/usr/lib/node_modules/@you/oc-combined/node_modules/@you/oc-combined-linux-x64-baseline/bin/opencode",
    "npm install --global @you/oc-combined@latest",
  ],
  [
    "C:\\Users\\a\\AppData\\Roaming\\npm\\node_modules\\oc-windows-arm64\\bin\\opencode.exe",
    "npm install --global oc@latest",
  ],
  ["/home/a/.bun/install/global/node_modules/oc-linux-x64-musl/bin/opencode", "bun add --global oc@latest"],
  [
    "/home/a/.local/share/pnpm/global/5/.pnpm/oc-darwin-arm64@1.18.3/node_modules/oc-darwin-arm64/bin/opencode",
    "pnpm add --global oc@latest",
  ],
  ["/opt/homebrew/Cellar/oc-combined/1.18.3_1/bin/opencode", "brew upgrade oc-combined"],
  ["C:\\Users\\a\\scoop\\apps\\oc-combined\\current\\opencode.exe", "scoop update oc-combined"],
  ["/nix/store/5v3v4x1b0j2cq0q8f-oc-combined-1.18.3-2/bin/opencode", "nix profile upgrade oc-combined"],
  ["/usr/lib/oc-combined-bin/opencode", "yay -Syu oc-combined-bin"],
  ["/home/a/.local/share/mise/installs/github-you-oc/1.18.3/opencode", "mise upgrade github-you-oc"],
] as const)
  test(`a program at ${program} is updated with its package manager`, () => {
    const said = CombinedInstallation.upgradeRefusal(program)
    expect(said).toEndWith(`To update it: ${command}`)
    expect(said).not.toContain("opencode-patcher update")
  })

test("a program that no package manager has installed is updated by the tool or its release", () => {
  expect(
    CombinedInstallation.upgradeRefusal("/home/a/.local/share/opencode-patcher/builds/x/opencode", "you/fork"),
  ).toContain("https://github.com/you/fork/releases/latest")
  for (const program of ["/usr/local/bin/opencode", "/usr/lib/opencode/opencode", "/home/a/node_modules/opencode"])
    expect(CombinedInstallation.manager(program)).toBeUndefined()
})
