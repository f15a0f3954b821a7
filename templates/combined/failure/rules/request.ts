/** Failures that are not the member's fault: they are about the request. */
import type { Rule } from "./rule"

const CLIENT = [400, 403, 404, 406, 409, 413, 422, 451]

/** More in one request than is allowed per minute. */
export const overMinute: readonly Rule[] = [
  {
    kind: "rate_limit",
    scope: "model",
    status: [413],
    text: /request too large|rate_limit_exceeded|tokens per minute|\btpm\b/i,
    except: /try again in|retry after/i,
    long: true,
    source: "Groq and OpenAI: the request alone is more than the limit of a minute",
  },
  {
    kind: "rate_limit",
    scope: "model",
    status: [429],
    text: /request too large/i,
    except: /try again in|retry after/i,
    long: true,
    source: "OpenAI: a limit of tokens that the request alone exceeds; rate_limit_exceeded is its code for any limit",
  },
]

export const tooLong: readonly Rule[] = [
  {
    kind: "too_long",
    scope: "model",
    code: ["context_length_exceeded", "model_max_prompt_tokens_exceeded", "1261", "ContextWindowExceededError"],
    text: new RegExp(
      [
        "(?:prompt|input|conversation|context|messages?) (?:is|are|was|exceeds?) (?:too (?:long|large)|longer)",
        "input is too long|too many (?:input )?tokens(?: in|:)|total number of tokens[^.]{0,40}exceed|input (?:length|tokens?)[^.]{0,60}(?:exceed|too (?:long|large)|greater)",
        "exceeds? (?:the |this model's )?(?:maximum |max |available )?(?:context|prompt|input|number of (?:input )?tokens|token limit)",
        "(?:maximum|max) (?:context|prompt|input)[ _-]?(?:length|size|window|tokens?) (?:is|of|allowed)",
        "maximum prompt length is|context (?:length|window|size) (?:exceeded|is only|of only|exceeds|limit)|longer than the (?:maximum )?(?:model|context)",
        "greater than the context length|exceed(?:s|ed)? (?:the )?(?:context|model token) limit|range of input length should be",
        "reduce the length of (?:the |your )?(?:messages|prompt|input)|prompt token count[^.]{0,40}exceeds",
        "input token count[^.]{0,80}exceeds|must have less than \\d+ tokens|max_new_tokens` must be <=|decoder prompt",
        "(?:prompt|input)_?tokens?[^.]{0,40}(?:must be|exceeds?|greater|larger)[^.]{0,30}max_(?:seq|model)_len|context (?:the )?overflows?",
        "prompt contains \\d+ tokens|too large for model with|request entity too large|request (?:body )?(?:is )?too large|payload too large",
        "tokens in request more than max tokens|model_context_window_exceeded|long context beta|required for long context",
        "(?:上下文|输入|提示词?|请求|消息|内容)[^。]{0,16}(?:超长|过长|超过|超出|太长)|超[过出][^。]{0,16}(?:上下文|最大长度|长度限制|token)",
        "コンテキスト[^。]{0,16}(?:超|長)|컨텍스트[^.]{0,16}초과|(?:contexte|contexto|Kontext\\w*)[^.]{0,40}(?:d[ée]pass|exced|überschr|trop long|demasiado)",
      ].join("|"),
      "i",
    ),
    except:
      /per[ _-]?(?:minute|second|hour|day)|\bt?rpm\b|\btpm\b|max_(?:completion_|output_)?tokens is too large|max_tokens: \d+ >|并发|频率|速率|次数|配额|额度/i,
    source:
      "OpenAI, Anthropic, Google, Bedrock, Copilot, Mistral, Cohere, Alibaba, Z.ai, vLLM, TGI, llama.cpp, LM Studio",
  },
]

export const tooLarge: readonly Rule[] = [
  {
    kind: "too_long",
    scope: "model",
    status: [413],
    source: "RFC 9110 15.5.14; a proxy in between has its own limit",
  },
]

/** Parts of the history from another member, or from this one under another account. */
export const history: readonly Rule[] = [
  {
    kind: "history",
    scope: "model",
    forgo: "calls",
    status: [400, 404, 422],
    text: new RegExp(
      [
        "(?:call[_ ]?id|tool[_ ]?call[_ ]?id|tool[_ ]?use[_ ]?id|toolUseId|tool_use\\.id|tool_calls\\[\\d+\\]\\.id).{0,120}(?:too long|maximum|length|pattern|match|characters|invalid|must)",
        "(?:too long|maximum length|pattern|invalid).{0,120}(?:call[_ ]?id|tool[_ ]?call[_ ]?id|tool[_ ]?use[_ ]?id|toolUseId|tool_calls\\[\\d+\\]\\.id)",
      ].join("|"),
      "i",
    ),
    source: "Mistral, Azure, OpenAI's Responses, Bedrock and Anthropic: the length and the characters of call ids",
  },
  {
    kind: "history",
    scope: "model",
    forgo: "items",
    status: [400, 404, 422],
    code: ["invalid_encrypted_content", "previous_response_not_found"],
    text: new RegExp(
      [
        "encrypted[ _]content.{0,120}(?:could not|cannot|can't|not be|invalid|fail|decrypt|verif|pars)",
        "\\bitem (?:with id|').{0,120}not found|not persisted when `?store`?|previous_?response.{0,60}not (?:be )?found",
        "(?:without|missing) (?:its|their|the) required '?\"?`?(?:reasoning|following)",
      ].join("|"),
      "i",
    ),
    source: "OpenAI's and Azure's Responses",
  },
  {
    kind: "history",
    scope: "model",
    forgo: "thinking",
    status: [400, 422],
    text: new RegExp(
      [
        "(?:invalid|missing|lost|corrupted)[^.]{0,24}\\bsignature|\\bsignature[^.]{0,60}(?:invalid|not valid|missing|required|mismatch|verif)",
        "thought[_ ]?signature|expected `?thinking`?|`?(?:redacted_)?thinking`? blocks?[^.]{0,80}(?:cannot|must|invalid|modified)",
        "reasoning_(?:content|details)[^.]{0,80}(?:must|missing|required|passed back|not (?:supported|allowed|permitted))",
        "missing reasoning_content|(?:property|field|parameter)[^.]{0,12}'?reasoning(?:_content|_details)?'? is (?:un|not )supported",
      ].join("|"),
      "i",
    ),
    source:
      "Anthropic, Bedrock, Vertex, Gemini: signed thinking; DeepSeek, Moonshot, Groq: thoughts that must or must not come back",
  },
]

export const refused: readonly Rule[] = [
  {
    kind: "final",
    scope: "model",
    status: CLIENT,
    code: [
      "content_filter",
      "content_policy_violation",
      "ResponsibleAIPolicyViolation",
      "data_inspection_failed",
      "DataInspectionFailed",
      "invalid_prompt",
      "cyber_policy_violation",
      "moderation_blocked",
      "1301",
      "PROHIBITED_CONTENT",
    ],
    text: wordsOfRefusal(),
    except: /\baccount\b|\borganization\b|\bapi key (?:is|was|has)\b|账[号户]/i,
    source: "OpenAI, Azure, OpenRouter, Google, Bedrock, xAI, DeepSeek, Moonshot, Alibaba, Z.ai, Volcengine",
  },
  {
    kind: "final",
    scope: "model",
    code: ["content_filter", "invalid_prompt", "base_resp:1026", "base_resp:1027", "data_inspection_failed", "1301"],
    text: /requires moderation|input (?:was |is )?flagged|blocked by our usage policy|content_policy_violation/i,
    source: "events inside an answer: OpenAI, OpenRouter, MiniMax, Alibaba, Z.ai",
  },
]

function wordsOfRefusal() {
  return new RegExp(
    [
      "requires moderation|flagged (?:for|as|by)|flagged_input|content exists risk|considered high risk|inappropriate content",
      "content[ _-]?(?:polic|filter|management|moderation|safety)|safety (?:system|filter|setting|reason|polic|guideline)s?",
      "sensitive[ _]?(?:content|information|words?)|sensitive_?content_?detected|(?:input|output|text|image)risk",
      "violat\\w+ [^.]{0,80}(?:polic|guideline|rules)|(?:usage|acceptable use) polic|prohibited_?content|unsafe (?:content|prompt)",
      "guardrail[^.]{0,40}(?:block|interven)|blocked by [^.]{0,40}(?:safety|policy|moderation)",
      "敏感|违规|不安全内容|内容审核|审核不通过|违反[^。]{0,20}(?:规定|政策|法律)|不適切な|부적절한",
    ].join("|"),
    "i",
  )
}

export const invalid: readonly Rule[] = [
  {
    kind: "final",
    scope: "model",
    status: [400, 422],
    code: ["invalid_function_parameters", "invalid_tool_schema"],
    text: new RegExp(
      [
        "invalid (?:json )?schema for (?:function|tool|response_format)|tool names must be unique|duplicate (?:tool|function) name",
        "tools?[.\\[]\\d+\\]?[^ ]*(?:input_schema|parameters)|function_?declarations?\\[\\d+\\][^ ]*parameters",
        "input_schema[^.]{0,60}(?:invalid|must|required)|tool schema[^.]{0,40}(?:invalid|unsupported)",
        "text content blocks must be non-empty|at least one message is required",
      ].join("|"),
      "i",
    ),
    source: "OpenAI, Anthropic, Google: the same request is refused by whoever serves the model",
  },
]
