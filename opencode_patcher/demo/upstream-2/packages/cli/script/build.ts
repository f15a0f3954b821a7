#!/usr/bin/env bun

import { rm } from "fs/promises"
import path from "path"
import { Script } from "@opencode-ai/script"
import { modelsData } from "./generate"

process.chdir(path.resolve(import.meta.dirname, ".."))

if (!process.argv.includes("--skip-install")) throw new Error("This small build does nothing without --skip-install")

const system = process.platform === "win32" ? "windows" : process.platform
const isSingle = process.argv.includes("--single")
const platforms = isSingle
  ? [`${system}-${process.arch}`]
  : [
      "linux-arm64",
      "linux-x64",
      "linux-x64-baseline",
      "linux-arm64-musl",
      "linux-x64-musl",
      "linux-x64-baseline-musl",
      "darwin-arm64",
      "darwin-x64",
      "darwin-x64-baseline",
      "windows-arm64",
      "windows-x64",
      "windows-x64-baseline",
    ]

await rm("dist", { recursive: true, force: true })

for (const platform of platforms) {
  const name = `cli-${platform}`
  console.log(`building ${name}`)
  await Bun.build({
    entrypoints: ["./src/index.ts"],
    tsconfig: "./tsconfig.json",
    minify: true,
    compile: {
      autoloadBunfig: false,
      autoloadDotenv: false,
      ...(isSingle ? {} : { target: `bun-${platform}` as Bun.Build.CompileTarget }),
      outfile: `dist/${name}/bin/opencode2`,
    },
    define: {
      OPENCODE_VERSION: JSON.stringify(Script.version),
      OPENCODE_MODELS_DEV: modelsData,
    },
  })
  await Bun.write(`dist/${name}/package.json`, JSON.stringify({ name, version: Script.version }, null, 2))
}
