/**
 * Failures of the account: it is used up, or refused. They apply to every model of the provider unless stated
 * otherwise.
 */
import type { Rule } from "./rule"

/** Limits of one model that reset by themselves, whatever they are called. */
const minutes: readonly Rule[] = [
  {
    kind: "rate_limit",
    scope: "model",
    status: [429],
    code: ["Throttling.AllocationQuota", "Throttling.RateQuota", "Throttling.BurstRate", "limit_requests"],
    except: /(?:hour|day|week|month)\w* allocated quota/i,
    source: "Alibaba calls its limits of a minute allocated quota, with the type insufficient_quota",
  },
  {
    kind: "quota",
    scope: "model",
    status: [429, 403, 402, 400],
    text: /(?:per[-_ ]?|\/ ?)(?:day|week|month)\b|perday|tokens? per day|daily[-_ ](?:limit|quota|request|token)|by ?day\b|(?:hour|week|month)\w* allocated quota|AllocationQuota\.FreeTierOnly|free tier of the model has been exhausted|[每今当本][日天]/i,
    source: "Bedrock, Google, OpenRouter, GitHub Models: a limit of a day is counted for each model",
  },
  {
    kind: "rate_limit",
    scope: "model",
    status: [429],
    text: /per[-_ ]?minute|resource_exhausted|每分钟/i,
    source: "Vertex and Gemini call each of their limits a quota, and count it for each model",
  },
]

const quota: readonly Rule[] = [
  {
    kind: "quota",
    scope: "provider",
    code: ["1304", "1308", "1309", "1310", "1313"],
    zone: "+08:00",
    source: "Z.ai and Zhipu: windows of a plan; their dates are Beijing's and name no zone",
  },
  {
    kind: "quota",
    scope: "provider",
    code: [
      "insufficient_quota",
      "insufficient_user_quota",
      "pre_consume_token_quota_failed",
      "insufficient_balance",
      "insufficient_credits",
      "billing_not_active",
      "billing_hard_limit_reached",
      "budget_exceeded",
      "payment_required",
      "quota_exceeded",
      "usage_limit_reached",
      "usage_not_included",
      "exceeded_current_quota_error",
      "FreeUsageLimitError",
      "GoUsageLimitError",
      "CreditsError",
      "MonthlyLimitError",
      "access_terminated_error",
      "Arrearage",
      "AccountOverdueError",
      "AccountQuotaExceeded",
      "SetLimitExceeded",
      "QuotaExceeded",
      "PrepaidBillOverdue",
      "PostpaidBillOverdue",
      "ServiceQuotaExceededException",
      "1113",
      "base_resp:1008",
      "base_resp:2056",
    ],
    source:
      "OpenAI, Zen, ChatGPT, Moonshot and Kimi, Alibaba, Volcengine, MiniMax, Z.ai, LiteLLM, new-api: their codes for a spent account",
  },
  {
    kind: "quota",
    scope: "provider",
    text: new RegExp(
      [
        "insufficient[_ ](?:account )?(?:quota|balance|credits?|funds)|(?:credit )?balance (?:is )?(?:too low|insufficient|exhausted|negative|not enough)",
        "not[_ ]enough[_ ](?:balance|funds)|out of [^.]{0,20}quota",
        "(?:not enough|out of|no (?:more )?|run out of|ran out of|used all (?:of )?(?:your |available )?|purchase (?:more )?|buy more|add(?:ing)? (?:more )?|used all available )credits?\\b(?! (?:was|were|are|have been) (?:charged|used|deducted))",
        "credits? (?:are |have been |has been )?(?:exhausted|depleted|used up|expired|required)|exceeded your current quota|current quota",
        "quota[^.]{0,40}(?:exceed|exhaust|used up|reached|depleted)|(?:exceed|exhaust|reach|used up)[^.]{0,40}quota",
        "(?:spend(?:ing)?|usage|billing|budget|key|premium request|monthly|weekly|daily|5[- ]?hour|session|plan|subscription|credit|cost|consumption)[^.]{0,24} (?:limit|cap|allowance|allocation|quota)s?[^.]{0,30}(?:reached|exceeded|exhausted|hit|used up)",
        "(?:reached|exceeded|exhausted|hit|used up)[^.]{0,40}(?:spend(?:ing)?|usage|billing|budget|key|premium request|monthly|weekly|daily|5[- ]?hour|session|plan|credit)(?: free)? (?:limit|cap|allowance|allocation|quota)s?",
        "api usage limits|usage limit|budget (?:has been )?exceeded|limit exhausted|upgrade (?:your |to a )?(?:plan|paid)|payment (?:required|is required|method|due)",
        "out of (?:extra )?usage|over budget|ExceededBudget|in arrears|overdue|past due|past invoices|unpaid|billing (?:details|issue|account)|account is not active|good standing|top[- ]?up your|recharge",
        "欠费|余额不足|余额(?:已)?耗尽|(?:剩余|预扣费)额度|额度(?:不足|已?用[完尽]|已?耗尽|超)|充值|套餐[^。]{0,20}(?:用[完尽]|到期|上限|过期|耗尽)|(?:用量|使用|配额)[^。]{0,12}(?:上限|限额|用尽|耗尽|不足)|免费额度",
        "残高|利用枠|クレジット[^。]{0,10}不足|잔액|크레딧[^.]{0,10}부족|недостаточно средств|лимит[^.]{0,20}исчерпан",
        "solde insuffisant|cr[ée]dits? (?:insuffisant|épuisé)|saldo insuficiente|cr[ée]dito insuficiente|guthaben|kontingent[^.]{0,20}(?:erschöpft|überschritten|aufgebraucht)",
      ].join("|"),
      "i",
    ),
    except: /per[-_ ]?(?:minute|second)|rate of requests/i,
    source: "the same in the words of these and others, also of proxies in front of them",
  },
]

const auth: readonly Rule[] = [
  {
    kind: "auth",
    scope: "provider",
    code: [
      "invalid_api_key",
      "api_key_invalid",
      "InvalidApiKey",
      "authentication_error",
      "AuthenticationError",
      "unsupported_country_region_territory",
      "invalid_grant",
      "AI_LoadAPIKeyError",
      "AI_LoadSettingError",
      "CredentialsProviderError",
      "UnrecognizedClientException",
      "ExpiredTokenException",
      "base_resp:1004",
      "base_resp:2049",
    ],
    except: /\bmodel\b[^.]{0,60}(?:not supported|not found|does not exist)/i,
    source: "OpenAI, Google, Alibaba, AWS, MiniMax, Z.ai; the AI SDK",
  },
  {
    kind: "auth",
    scope: "provider",
    text: new RegExp(
      [
        "(?:incorrect|invalid|wrong|missing|expired|revoked) (?:api[- _]?key|access token|credentials?|bearer token|x-api-key)",
        "api[- _]?key[^.]{0,30}(?:not valid|invalid|expired|disabled|revoked|incorrect|required|missing|not found)|token refresh failed\\W{1,3}40[0-3]\\b",
        "token (?:has |is )?(?:expired|revoked|invalid)|re-?authenticate|log ?in again|please (?:log|sign) ?in|invalid_grant|SSO session|could not load (?:the default )?credentials",
        "credentials?[^.]{0,40}(?:only authorized|not authorized|cannot be used|expired)|only (?:be used|authorized)[^.]{0,30}(?:with|for|by)",
        "(?:not (?:supported|available)[^.]{0,40}|unsupported )(?:your (?:country|region|location)|user location|countr|region|territor)|(?:country|region|location|territory)[^.]{0,40}(?:not (?:supported|available|allowed)|is unsupported|blocked)",
        "account[^.]{0,60}(?:suspended|disabled|deactivated|banned|blocked|terminated|locked|restricted)|organization[^.]{0,40}(?:disabled|deactivated|suspended|restricted)",
        "密钥[^。]{0,12}(?:无效|错误|过期)|令牌[^。]{0,12}(?:无效|过期)|身份验证|鉴权失败|认证失败|账[号户][^。]{0,16}(?:封禁|冻结|停用|禁用)|地区[^。]{0,12}不(?:支持|可用)",
        "APIキー[^。]{0,12}(?:無効|正しく)|clé (?:d')?api[^.]{0,20}(?:invalide|expirée)|clave[^.]{0,20}(?:no válida|inválida)|ungültige[rn]? (?:api|schlüssel)",
      ].join("|"),
      "i",
    ),
    except: /\bmodel\b[^.]{0,60}(?:not supported|not available|not found|does not exist)/i,
    source:
      "400 of Google, xAI and Anthropic; upstream's logins; the credentials of AWS and Google Cloud; countries that are not served",
  },
  {
    kind: "server",
    scope: "model",
    text: /token refresh failed/i,
    source: "upstream's logins, where the status is another",
  },
]

export const account: readonly Rule[] = [...minutes, ...quota, ...auth]
