/** Renders the tables for tests of the core, which run it as it stands in templates/. */
import { plugin } from "bun"
import { readFileSync } from "fs"
import path from "path"

const ROOT = path.join(import.meta.dir, "..", "..")

function printed(module: string, name: string) {
  const own = path.join(ROOT, ".venv", "bin", "python")
  const code = `from opencode_patcher.${module} import ${name}; print(${name}())`
  return Bun.spawnSync([Bun.which(own) ?? "python3", "-c", code], { cwd: ROOT }).stdout.toString()
}

function failures() {
  const given = process.env.OPENCODE_PATCHER_FAILURE_TABLE
  return given ? readFileSync(given, "utf8") : printed("failures.typescript", "table_json")
}

plugin({
  name: "tables",
  setup(build) {
    // What bun does not find it does not ask a plugin for, so those who import the table are told its name here.
    build.onLoad({ filter: /combined\/failure\/(?:finish|rules)\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace('"./table"', '"./table.ts.j2"'),
      loader: "ts",
    }))
    build.onLoad({ filter: /combined\/failure\/table\.ts\.j2$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace("[= failure_table =]", failures),
      loader: "ts",
    }))
    build.onLoad({ filter: /combined\/identity\/[a-z]+\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace('"./table"', '"./table.ts.j2"'),
      loader: "ts",
    }))
    build.onLoad({ filter: /combined\/identity\/table\.ts\.j2$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace("[= identity_rules =]", () =>
        printed("models.typescript", "rules_json"),
      ),
      loader: "ts",
    }))
    build.onLoad({ filter: /combined\/(?:mistakes|schema|settings)\.ts$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace('"./settings-table"', '"./settings-table.ts.j2"'),
      loader: "ts",
    }))
    build.onLoad({ filter: /combined\/settings-table\.ts\.j2$/ }, ({ path }) => ({
      contents: readFileSync(path, "utf8").replace("[= settings_schema =]", () =>
        printed("models.json_schema", "settings_json"),
      ),
      loader: "ts",
    }))
  },
})
