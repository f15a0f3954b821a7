import { expect, test } from "bun:test"
import { CombinedWebUI } from "@/combined/web-ui"

const missing = { site: "https://app.opencode.ai", reason: "Unable to connect <b>" }

test("without a web UI it is said what is missing, why, and what to do", () => {
  for (const said of [CombinedWebUI.text(missing), CombinedWebUI.page(missing)]) {
    expect(said).toContain("was built without its web UI")
    expect(said).toContain("https://app.opencode.ai")
    expect(said).toContain("Unable to connect")
    expect(said).toContain("opencode attach")
    expect(said).toContain("opencode-patcher build --web-ui on")
  }
})

test("a reason cannot add anything to the page", () => {
  expect(CombinedWebUI.page(missing)).not.toContain("<b>")
})

test("the terminal is told from where the page comes, and how to embed it", () => {
  const said = CombinedWebUI.notice("https://app.opencode.ai")
  expect(said).toContain("loaded from https://app.opencode.ai")
  expect(said).toContain("--web-ui on")
  expect(said).not.toContain("\n")
})
