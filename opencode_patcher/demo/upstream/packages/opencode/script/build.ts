#!/usr/bin/env bun

import { Script } from "@opencode-ai/script"
import fs from "fs"
import path from "path"
import pkg from "../package.json"

const directory = path.resolve(import.meta.dirname, "..")
process.chdir(directory)

for (const flag of ["--skip-install", "--skip-embed-web-ui"]) {
  if (!process.argv.includes(flag)) throw new Error(`This small build does nothing without ${flag}`)
}

const catalogue = process.env.MODELS_DEV_API_JSON ? await Bun.file(process.env.MODELS_DEV_API_JSON).text() : "{}"
const system = process.platform === "win32" ? "windows" : process.platform
const single = process.argv.includes("--single")
const platforms = single
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

fs.rmSync("dist", { recursive: true, force: true })
for (const platform of platforms) {
  const name = `${pkg.name}-${platform}`
  console.log(`building ${name}`)
  await Bun.build({
    tsconfig: "./tsconfig.json",
    entrypoints: ["./src/index.ts"],
    minify: true,
    compile: {
      autoloadBunfig: false,
      autoloadDotenv: false,
      ...(single ? {} : { target: `bun-${platform}` as Bun.Build.CompileTarget }),
      outfile: `dist/${name}/bin/opencode`,
    },
    define: {
      OPENCODE_VERSION: JSON.stringify(Script.version),
      OPENCODE_CHANNEL: JSON.stringify(Script.channel),
      OPENCODE_MODELS_DEV: catalogue,
    },
  })
  await Bun.write(`dist/${name}/package.json`, JSON.stringify({ name, version: Script.version }, null, 2))
}
