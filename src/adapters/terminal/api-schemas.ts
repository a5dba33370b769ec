import * as v from 'valibot'

/** Only what the client reads; `--json` prints the whole reply, so unknown keys stay. */
const Workspace = v.looseObject({ id: v.string(), name: v.string(), role: v.string() })

export const DeviceCodeReply = v.object({
  device_code: v.string(),
  user_code: v.string(),
  verification_uri: v.string(),
  verification_uri_complete: v.optional(v.string()),
  expires_in: v.pipe(v.number(), v.minValue(1)),
  // RFC 8628 §3.2: absent means five seconds.
  interval: v.optional(v.pipe(v.number(), v.minValue(1)), 5),
})
export const TokenReply = v.looseObject({
  access_token: v.string(),
  expires_at: v.string(),
  subject_type: v.string(),
  account: v.nullable(v.looseObject({ email: v.string(), name: v.string() })),
  subject_email: v.optional(v.string()),
  workspaces: v.array(Workspace),
  default_workspace_id: v.nullable(v.string()),
})
export const AccountReply = v.looseObject({
  subject_type: v.string(),
  subject_email: v.string(),
  subject_issuer: v.nullable(v.string()),
  account: v.nullable(v.looseObject({ email: v.string(), name: v.string() })),
  workspaces: v.array(Workspace),
  default_workspace_id: v.nullable(v.string()),
})

const envelope = <S extends v.GenericSchema>(row: S) =>
  v.looseObject({ page: v.number(), limit: v.number(), total: v.number(), has_more: v.boolean(), data: v.array(row) })
export const AppsReply = envelope(
  v.looseObject({ id: v.string(), name: v.string(), description: v.string(), mode: v.string() }),
)
export const SessionsReply = envelope(
  v.looseObject({
    id: v.string(),
    client_id: v.string(),
    device_label: v.string(),
    created_at: v.string(),
    last_used_at: v.nullable(v.string()),
    expires_at: v.string(),
    current: v.boolean(),
  }),
)

const InputSchema = v.looseObject({
  title: v.optional(v.string()),
  type: v.optional(v.string()),
  enum: v.optional(v.array(v.string())),
  maxLength: v.optional(v.number()),
})
export const DescribeReply = v.looseObject({
  /** Servers that look at an app before its run say here what is missing. */
  preflight: v.optional(v.array(v.looseObject({ node: v.string(), title: v.string(), reason: v.string() }))),
  info: v.looseObject({ id: v.string(), name: v.string(), description: v.string(), mode: v.string() }),
  input_schema: v.looseObject({
    required: v.optional(v.array(v.string()), []),
    properties: v.looseObject({
      query: v.optional(v.looseObject({})),
      inputs: v.optional(
        v.looseObject({
          required: v.optional(v.array(v.string()), []),
          properties: v.optional(v.record(v.string(), InputSchema), {}),
        }),
      ),
    }),
  }),
})
export const RevokedReply = v.looseObject({ status: v.string() })

/** The error body of every route; `interval` on a poll, `retry_after_ms` on a bearer's limit. */
export const ErrorReply = v.looseObject({
  error: v.optional(v.string()),
  code: v.optional(v.string()),
  message: v.optional(v.string()),
  error_description: v.optional(v.string()),
  hint: v.optional(v.string()),
  interval: v.optional(v.number()),
  details: v.optional(
    v.array(
      v.looseObject({ loc: v.optional(v.array(v.union([v.string(), v.number()]))), msg: v.optional(v.string()) }),
    ),
  ),
})
export type ErrorReply = v.InferOutput<typeof ErrorReply>
