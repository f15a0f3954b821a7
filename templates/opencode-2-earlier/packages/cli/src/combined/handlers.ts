/** Adds `opencode2 combined` to upstream's commands. Each of its subcommands is only loaded when it is called. */
import { CombinedSpec } from "./spec"

const { spec } = CombinedSpec
const { list, health, check, attempts } = spec.commands

const LOADED = [
  { spec: spec.spec, load: () => import("./list") },
  { spec: list.spec, load: () => import("./list") },
  { spec: health.spec, load: () => import("./health") },
  { spec: check.spec, load: () => import("./check") },
  { spec: attempts.spec, load: () => import("./attempts") },
]

type Node = { readonly commands: Readonly<Record<string, unknown>> }

/** Provides upstream's commands and ours. */
export function added<Root extends Node, Handler, Provided>(
  root: Root,
  handlers: readonly Handler[],
  provide: (root: Root, handlers: readonly Handler[]) => Provided,
) {
  const own = LOADED as unknown as readonly Handler[]
  return provide({ ...root, commands: { ...root.commands, [spec.name]: spec } }, [...handlers, ...own])
}

export * as CombinedCommand from "./handlers"
