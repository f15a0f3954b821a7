/** Renders the table of failures for tests of the core, which run it as it stands in templates/. */
import { plugin } from "bun"
import { readFileSync } from "fs"
import path from "path"

const ROOT = path.join(import.meta.dir, "..", "..")

function json() {
  const given = process.env.OPENCODE_PATCHER_FAILURE_TABLE
  if (given) return readFileSync(given, "utf8")
  const own = path.join(ROOT, ".venv", "bin", "python")
  const code = "from opencode_patcher.failures.typescript import table_json; print(table_json())"
  return Bun.spawnSync([Bun.which(own) ?? "python3", "-c", code], { cwd: ROOT }).stdout.toString()
}

plugin({
  name: "failure table",
  setup(build) {
    // What bun does not find it does not ask a plugin for, so those who import the table are told its name here.
    build.onLoad({ filter: /combined\/failure\/(?:finish|rules)\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace('"./table"', '"./table.ts.j2"'),
      loader: "ts",
    }))
    build.onLoad({ filter: /combined\/failure\/table\.ts\.j2$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace("[= failure_table =]", json),
      loader: "ts",
    }))
  },
})
