/**
 * The kinds of provider failures, as data: by the status, the codes or the words that providers are known to use. The
 * first matching rule decides, so rules that name the cause come before those that only name a status.
 *
 * A rule gives kind, scope and time. The turn survives without one: after an unknown failure one more member is asked.
 */
import { account } from "./rules/account"
import { line, unreadable } from "./rules/line"
import { broke, load, loadInside, malformed, missing } from "./rules/member"
import { history, invalid, overMinute, refused, tooLarge, tooLong } from "./rules/request"
import type { Rule } from "./rules/rule"

export type { Rule } from "./rules/rule"

/** By the status alone, if neither codes nor words tell more. */
const byStatus: readonly Rule[] = [
  {
    kind: "server",
    scope: "provider",
    status: [400, 403, 404, 406, 409],
    page: true,
    source: "a page of a proxy in between (Cloudflare, a company's gateway), which knows nothing of the account",
  },
  {
    kind: "quota",
    scope: "provider",
    status: [402],
    source: "RFC 9110 15.5.3; GitHub Copilot sends it without headers",
  },
  {
    kind: "auth",
    scope: "provider",
    status: [401, 403, 407, 451],
    source: "RFC 9110 15.5.2, 15.5.4, 15.5.8; RFC 7725",
  },
  { kind: "missing", scope: "model", status: [404, 410], source: "RFC 9110 15.5.5 and 15.5.11" },
  { kind: "timeout", scope: "model", status: [408], source: "RFC 9110 15.5.9" },
  {
    kind: "network",
    scope: "provider",
    status: [421],
    lasting: true,
    source: "RFC 9110 15.5.20; Copilot, for accounts that live on another host",
  },
  {
    kind: "server",
    scope: "model",
    status: [409, 423, 424, 425, 460, 494, 499],
    source: "a conflict, a dependency that failed (Bedrock), too early; a line that a proxy or Vertex closed",
  },
]

export const rules: readonly Rule[] = [
  ...overMinute,
  ...account,
  ...tooLong,
  ...history,
  ...missing,
  ...refused,
  ...invalid,
  ...load,
  ...tooLarge,
  ...malformed,
  ...line,
  ...loadInside,
  ...unreadable,
  ...broke,
  ...byStatus,
]

export * as CombinedRules from "./rules"
