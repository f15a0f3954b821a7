import fs from "fs"
import os from "os"
import path from "path"

const directory = (variable: string, ...standard: string[]) =>
  path.join(process.env[variable] ?? path.join(os.homedir(), ...standard), "opencode")

export const Path = {
  config: directory("XDG_CONFIG_HOME", ".config"),
  data: directory("XDG_DATA_HOME", ".local", "share"),
  state: directory("XDG_STATE_HOME", ".local", "state"),
}

for (const item of [Path.data, Path.state]) fs.mkdirSync(item, { recursive: true })

export * as Global from "./global"
