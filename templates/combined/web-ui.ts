/** The words of a binary that has no web UI of its own and cannot load it from OpenCode's site. */

const FIX = "opencode-patcher build --web-ui on && opencode-patcher install"

export type Missing = {
  /** Where the page would have come from. */
  readonly site: string
  /** Why it did not. */
  readonly reason: string
}

/** One line for the terminal, when the server starts. */
export const notice = (site: string) =>
  `This build has no web UI of its own: the page is loaded from ${site}. To embed it: ${FIX}`

const sentences = ({ site, reason }: Missing) => [
  `This OpenCode was built without its web UI, and loading it from ${site} failed: ${reason}`,
  "The server itself works. From a terminal: opencode attach, with this page's address.",
  `To have the web UI without that site, embed it. The build needs access to GitHub and to the npm registry: ${FIX}`,
]

/** What is missing and what to do, as text for a program or for a person with curl. */
export const text = (missing: Missing) => `${sentences(missing).join("\n")}\n`

/** The same as a page. It has no scripts, so every content security policy allows it. */
export const page = (missing: Missing) => `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>OpenCode: no web UI</title>
<body style="font-family: sans-serif; max-width: 40em; margin: 4em auto; padding: 0 1em">
<h1>The web UI cannot be loaded</h1>
${sentences(missing)
  .map((sentence) => `<p>${escape(sentence)}</p>`)
  .join("\n")}
</body>
</html>
`

const escape = (said: string) => said.replace(/[&<>]/g, (found) => `&#${found.charCodeAt(0)};`)

export * as CombinedWebUI from "./web-ui"
