/** Failures on the way to a provider: connections, timeouts, and unreadable data. */
import type { Rule } from "./rule"

export const line: readonly Rule[] = [
  {
    kind: "network",
    scope: "provider",
    lasting: true,
    code: [
      "ConnectionRefused",
      "FailedToOpenSocket",
      "ECONNREFUSED",
      "EHOSTUNREACH",
      "ENETUNREACH",
      "ENETDOWN",
      "EHOSTDOWN",
      "EADDRNOTAVAIL",
      "ENOTFOUND",
      "EAI_AGAIN",
      "EPROTO",
      "TooManyRedirects",
      "CERT_HAS_EXPIRED",
      "CERT_NOT_YET_VALID",
      "DEPTH_ZERO_SELF_SIGNED_CERT",
      "SELF_SIGNED_CERT_IN_CHAIN",
      "ERR_TLS_CERT_ALTNAME_INVALID",
      "UNABLE_TO_GET_ISSUER_CERT",
      "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
      "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
      "UNKNOWN_CERTIFICATE_VERIFICATION_ERROR",
    ],
    source: "bun and Node system error codes",
  },
  {
    kind: "network",
    scope: "provider",
    code: [
      "ConnectionClosed",
      "ECONNRESET",
      "ECONNABORTED",
      "EPIPE",
      "UND_ERR_SOCKET",
      "ZlibError",
      "InvalidHTTPResponse",
    ],
    source: "bun and Node system error codes",
  },
  {
    kind: "timeout",
    scope: "model",
    code: [
      "ConnectionTimeout",
      "ETIMEDOUT",
      "TimeoutError",
      "DEADLINE_EXCEEDED",
      "timeout_error",
      "RequestTimeOut",
      "base_resp:1001",
      // A cancelled turn is interrupted; a failure with this name means that the provider's side gave up.
      "AbortError",
    ],
    text: /\btimed? ?out\b|TimeoutError|deadline exceeded|超时|タイムアウト/i,
    source: "bun and Node, fetch and upstream's own timeouts; Google, Alibaba, MiniMax",
  },
  {
    kind: "network",
    scope: "provider",
    lasting: true,
    text: /unable to connect|connection refused/i,
    source: "messages of bun's fetch and of undici",
  },
  {
    kind: "network",
    scope: "provider",
    text: /ProviderResponseStreamError|socket connection was closed|connection (?:was )?(?:reset|closed|aborted|error)|fetch failed|network[_ ]error|^terminated\b|premature close|socket hang up/i,
    source: "messages of bun's fetch and of undici; upstream's error for a broken stream",
  },
]

/** Comes after the rules that name the cause: an unreadable event may say why itself. */
export const unreadable: readonly Rule[] = [
  {
    kind: "server",
    scope: "model",
    code: ["AI_JSONParseError", "AI_TypeValidationError", "AI_InvalidResponseDataError"],
    source: "events that the AI SDK cannot read",
  },
]
