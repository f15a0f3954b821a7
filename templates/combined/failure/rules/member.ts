/** Failures of one offer of the model: it is missing, overloaded or broken. */
import type { Rule } from "./rule"

export const missing: readonly Rule[] = [
  {
    kind: "missing",
    scope: "model",
    status: [400, 401, 403, 404, 405, 406, 410, 412, 422],
    code: [
      "model_not_found",
      "model_not_supported",
      "model_not_available",
      "unsupported_model",
      "model_decommissioned",
      "model_deprecated",
      "DeploymentNotFound",
      "ModelNotOpen",
      "ModelError",
      "Model.AccessDenied",
      "ModelNotFound",
      "InvalidEndpointOrModel.NotFound",
      "AccessDenied.Unpurchased",
      "1211",
      "1220",
      "1311",
    ],
    text: new RegExp(
      [
        "\\bmodel\\b(?:[^.]|\\.\\S){0,120}(?:does not exist|doesn't exist|not found|not (?:be )?(?:supported|available|enabled|allowed|recognized|activated|served|deployed|open)|is unavailable|isn't (?:supported|available)|unknown|not exist|not accessible|requires terms|marked [^.]{0,20}legacy|was retired|has been (?:decommissioned|deprecated|retired|removed|disabled)|is (?:deprecated|disabled|no longer))",
        "not support (?:(?:the|this) )?model|not support (?:tools?|tool[- ]?(?:use|calls?|calling)|functions?|function[- ]calling)\\b",
        "not a valid model|(?:verified|accept[^.]{0,20}terms)[^.]{0,20} (?:to use )?(?:the )?model|(?:unknown|invalid|no such|unsupported|unrecognized|nonexistent) model|model identifier is invalid|(?:no|not) (?:have )?access to (?:the |this )?(?:requested )?model|access to (?:the |this )?model|model access|bedrock:InvokeModel",
        "inference profile|on-demand throughput|no endpoints found|no allowed providers|deployment(?:[^.]|\\.\\S){0,40}(?:not exist|not found)",
        "模型[^。]{0,24}(?:不存在|未开通|已?下线|不支持|不可用|无权)|モデル[^。]{0,20}(?:存在|見つか|利用できません)|모델(?:[^.]|\\.\\S){0,20}(?:찾을|존재|지원)",
        "mod[eè]le(?:[^.]|\\.\\S){0,40}(?:introuvable|n'existe pas)|modell(?:[^.]|\\.\\S){0,40}(?:existiert nicht|nicht gefunden|nicht verfügbar)|modelo(?:[^.]|\\.\\S){0,40}(?:no existe|não (?:existe|encontrado)|no (?:encontrado|disponible))",
      ].join("|"),
      "i",
    ),
    except:
      /overload|capacity|high (?:demand|load)|temporarily|try again|busy|max(?:imum)? (?:context|tokens)|parameter|currently unavailable|crash/i,
    source: "OpenAI, Groq, Azure, Bedrock, Copilot, ChatGPT, Zen, OpenRouter, Volcengine, Alibaba, Z.ai",
  },
]

export const load: readonly Rule[] = [
  {
    kind: "overload",
    scope: "model",
    code: [
      "overloaded_error",
      "engine_overloaded_error",
      "server_overloaded",
      "server_is_overloaded",
      "slow_down",
      "ServerOverloaded",
      "ModelNotReadyException",
      "serviceUnavailableException",
      "UNAVAILABLE",
      "unavailable",
      "1305",
      "1312",
      "base_resp:1041",
    ],
    text: new RegExp(
      [
        "overload|at (?:full |max(?:imum)? )?capacity|no (?:available )?capacity|capacity (?:exceeded|constraints|limit)|(?:insufficient|not enough) capacity",
        "service_?unavailable|service temporarily unavailable|temporarily (?:unavailable|overloaded)|currently unavailable|server is busy|(?:too|very|is|currently) busy|heavy (?:load|traffic)|high (?:demand|load|traffic|concurrency)",
        "no (?:healthy|available) (?:upstream|workers?|instances?|replicas?|servers?|channels?|accounts?)|all (?:workers|instances|channels) (?:are )?busy|queue (?:is )?full|(?:model|engine) is (?:still )?(?:loading|starting|warming)|loading model|not ready",
        "繁忙|过载|負荷|负载[^。]{0,12}(?:高|饱和|上限)|拥挤|拥堵|访问量过大|算力不足|排队|无可用渠道|混雑|混み合|과부하|혼잡",
        "surcharg[ée]|überlastet|sobrecargad|перегруж|sovraccaric",
      ].join("|"),
      "i",
    ),
    source:
      "429, 503 and events: Anthropic, OpenAI, Google, DeepSeek, Moonshot, Bedrock, Z.ai, Volcengine, new-api, vLLM",
  },
  { kind: "overload", scope: "model", status: [503, 529], source: "RFC 9110 15.6.4; Anthropic overloaded_error" },
  {
    kind: "rate_limit",
    scope: "model",
    status: [400, 401, 403, 409, 424, 429, 500, 502],
    code: [
      "rate_limit_exceeded",
      "rate_limit_error",
      "rate_limited",
      "too_many_requests",
      "TooManyRequests",
      "throttling_error",
      "ThrottlingException",
      "RateLimitReached",
      "RESOURCE_EXHAUSTED",
      "1302",
      "1303",
    ],
    text: /rate[- ]limit(?:ed|s| (?:exceeded|reached))|too many (?:concurrent )?requests|throttl(?:ed|ing)|请求(?:过于|太)?频繁|请求过快|并发[^。]{0,12}(?:超|上限|限制)|限流|リクエストが多すぎ|요청이 너무 많|trop de requêtes|demasiadas solicitudes|zu viele anfragen|слишком много запросов/i,
    except: /must be|parameter/i,
    source: "limits that come with another status",
  },
  { kind: "rate_limit", scope: "model", status: [429], source: "RFC 6585 4" },
]

export const loadInside: readonly Rule[] = [
  {
    kind: "rate_limit",
    scope: "model",
    code: [
      "rate_limit_exceeded",
      "rate_limit_error",
      "too_many_requests",
      "throttlingException",
      "throttling_error",
      "RESOURCE_EXHAUSTED",
      "base_resp:1002",
      "base_resp:1039",
      "base_resp:2045",
      "1302",
      "1303",
    ],
    text: /rate[_ -]?limit|too_many_requests|too many (?:requests|tokens, please)|rate increased too quickly|throttl(?:ed|ing)|请求(?:过于|太)?频繁|限流/i,
    except: /must be|parameter/i,
    source: "events inside an answer: OpenAI, Alibaba, Bedrock, MiniMax, LiteLLM",
  },
]

/** The model wrote an unreadable call. */
export const malformed: readonly Rule[] = [
  {
    kind: "server",
    scope: "model",
    code: [
      "tool_use_failed",
      "output_parse_failed",
      "json_validate_failed",
      "model_output_error",
      "MALFORMED_FUNCTION_CALL",
    ],
    text: /failed to (?:call|parse|generate)[^.]{0,40}(?:function|tool|json|arguments|output)|(?:model|tool call)[^.]{0,40}(?:malformed|did not (?:output|produce))|malformed (?:function|tool)[_ ]call/i,
    source: "Groq and others, also as the finish reasons of Gemini",
  },
]

export const broke: readonly Rule[] = [
  {
    kind: "server",
    scope: "model",
    code: [
      "server_error",
      "api_error",
      "internal_server_error",
      "internal_error",
      "InternalServiceError",
      "internalServerException",
      "modelStreamErrorException",
      "ModelErrorException",
      "ModelTimeoutException",
      "backendError",
      "INTERNAL",
      "upstream_error",
      // An answer with status 200 that is not a stream.
      "CombinedNoStream",
      "do_request_failed",
      "bad_response_status_code",
      "base_resp:1000",
      "base_resp:1013",
      "base_resp:1024",
      "base_resp:1033",
      "1200",
      "1230",
      "1234",
    ],
    text: new RegExp(
      [
        "\\bserver_error\\b|internal (?:server |service )?error|internal_server_error|unexpected (?:server )?error|something went wrong|an? (?:unknown )?error occurred|backend ?error",
        "\\bcrash(?:ed)?\\b|exit code|exited unexpectedly|out of memory|\\bCUDA\\b|\\bOOM\\b|engine ?core|engine (?:process )?(?:died|is dead|dead)|worker (?:died|process)|degraded|unhealthy|failed to load model|model (?:unloaded|has crashed|failed)",
        "inference (?:failed|error)|error while (?:processing|generating)|failed to process the model|upstream (?:error|service|server|provider|request|returned)|bad gateway|provider returned error|error from (?:the )?(?:upstream|provider)",
        "内部(?:服务)?错误|服务(?:器)?(?:异常|错误|内部)|系统(?:异常|错误)|网络错误|内部エラー|서버 오류|erreur interne|error interno|interner fehler",
      ].join("|"),
      "i",
    ),
    source: "OpenAI, Anthropic, Bedrock, Vertex, MiniMax, Z.ai; LM Studio, vLLM, NVIDIA NIM, new-api",
  },
]
