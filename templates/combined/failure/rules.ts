/**
 * Which failures of a provider are of what kind, as data: by the status, the error code or the words that the providers
 * are known to use.
 */
import type { Kind, Scope } from "./classify"

export type Rule = {
  readonly kind: Kind
  readonly scope: Scope
  readonly status?: readonly number[]
  readonly code?: readonly string[]
  readonly text?: RegExp
  readonly lasting?: boolean
  /** Holds for errors of the client too (4xx), which else are a request that is wrong in itself. */
  readonly client?: boolean
  readonly source: string
}

/**
 * The first rule that matches decides: one whose status and text match, as far as it names them. `text` is matched against
 * message, code and response body together.
 */
export const rules: readonly Rule[] = [
  {
    kind: "rate_limit",
    scope: "model",
    status: [429],
    text: /per[ _]minute|resource_exhausted/i,
    source: "Vertex and Gemini call each of their limits a quota, and count it for each model",
  },
  {
    kind: "rate_limit",
    scope: "model",
    status: [413],
    text: /rate_limit_exceeded|tokens per minute/i,
    source: "Groq: more tokens than it grants a minute",
  },
  {
    kind: "quota",
    scope: "provider",
    client: true,
    text: /insufficient_quota|credit balance is too low|usagelimiterror|billing_hard_limit|quota[ _]exceeded|exceeded your current quota|usage_limit_reached|usage_not_included|exceeded_current_quota|insufficient balance|"code"\s*:\s*"?1113\b/i,
    source:
      "OpenAI and Anthropic error references; FreeUsageLimitError and GoUsageLimitError of OpenCode Zen; ChatGPT plans, Moonshot, Z.ai",
  },
  {
    kind: "auth",
    scope: "provider",
    client: true,
    text: /api_key_invalid|incorrect api key|api key (?:not valid|expired)|token refresh failed\W{1,3}40[0-3]\b|invalid_grant|AI_Load(?:APIKey|Setting)Error|CredentialsProviderError|SSO session|could not load (?:the default )?credentials/i,
    source:
      "400 of Google and xAI; upstream's logins of ChatGPT, xAI and Snowflake; the credentials of AWS and Google Cloud; the AI SDK",
  },
  {
    kind: "server",
    scope: "model",
    text: /token refresh failed/i,
    source: "upstream's logins, where the status is another",
  },
  {
    kind: "missing",
    scope: "model",
    client: true,
    text: /model_not_found|model_decommissioned|DeploymentNotFound|\bmodel\b[^.]{0,80}\b(?:does not exist|has been (?:decommissioned|deprecated|retired)|was retired|is not supported when using)\b/i,
    source: "400 and 404 of OpenAI, Groq, Azure and ChatGPT plans",
  },
  {
    kind: "quota",
    scope: "provider",
    status: [402],
    source: "RFC 9110 15.5.3; GitHub Copilot sends it without headers",
  },
  { kind: "rate_limit", scope: "model", status: [429], source: "RFC 6585 4" },
  {
    kind: "missing",
    scope: "model",
    status: [403],
    text: /access to (?:the |this )?model|model access|bedrock:InvokeModel/i,
    source: "Bedrock and OpenAI: a model that the account was not granted",
  },
  { kind: "auth", scope: "provider", status: [401, 403], source: "RFC 9110 15.5.2 and 15.5.4" },
  { kind: "missing", scope: "model", status: [404, 410], source: "RFC 9110 15.5.5 and 15.5.11" },
  { kind: "timeout", scope: "model", status: [408], source: "RFC 9110 15.5.9" },
  { kind: "overload", scope: "model", status: [503, 529], source: "RFC 9110 15.6.4; Anthropic overloaded_error" },
  {
    kind: "overload",
    scope: "model",
    text: /overloaded|service_?unavailable|server is busy|resource_exhausted|capacity exceeded/i,
    source: "error events inside a 200 stream: Anthropic, Google, DeepSeek, Bedrock",
  },
  {
    kind: "rate_limit",
    scope: "model",
    text: /rate_limit|rate limit|too_many_requests|too many requests|rate increased too quickly|throttlingException/i,
    source: "error events inside a 200 stream: OpenAI, Alibaba, Bedrock",
  },
  {
    kind: "server",
    scope: "model",
    text: /\bserver_error\b|internal_server_error|"type"\s*:\s*"api_error"|internalServerException|modelStreamErrorException/i,
    source: "error events inside a 200 stream: OpenAI server_error, Anthropic api_error, Bedrock",
  },
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
    code: ["ConnectionTimeout", "ETIMEDOUT"],
    source: "bun and Node system error codes",
  },
  {
    kind: "timeout",
    scope: "model",
    text: /\btimed? ?out\b|TimeoutError/i,
    source: "fetch and upstream's own timeouts",
  },
  {
    kind: "network",
    scope: "provider",
    lasting: true,
    text: /unable to connect|connection refused/i,
    source: "messages of bun's fetch and of undici",
  },
  {
    kind: "server",
    scope: "model",
    text: /AI_JSONParseError|AI_TypeValidationError|AI_InvalidResponseDataError/,
    source: "events that the AI SDK cannot read",
  },
  {
    kind: "network",
    scope: "provider",
    text: /ProviderResponseStreamError|socket connection was closed|connection (?:reset|closed)|fetch failed|network error|terminated/i,
    source: "messages of bun's fetch and of undici; upstream's error for a broken stream",
  },
]

export * as CombinedFailureRules from "./rules"
