/** What the OpenAPI document shows: one person, Olive, signs a laptop in and runs a greeting. */

const WORKSPACE = '019b8ad0-7c00-7000-8000-000000000001'
const ACCOUNT = '019b8ad0-7c00-7000-8000-000000000002'
const TOKEN_ID = '019b8ad0-7c00-7000-8000-000000000003'
const APP = '019b8ad0-7c00-7000-8000-000000000004'
const TASK = '019b8ad0-7c00-7000-8000-000000000005'
const RUN = '019b8ad0-7c00-7000-8000-000000000006'
const WORKFLOW = '019b8ad0-7c00-7000-8000-000000000007'
const MESSAGE = '019b8ad0-7c00-7000-8000-000000000008'
const FORM = '019b8ad0-7c00-7000-8000-00000000000a'
const FORM_TOKEN = '00000000-0000-4000-8000-000000000001'
const MEMBER = '019b8ad0-7c00-7000-8000-00000000000b'
const IMPORT = '019b8ad0-7c00-7000-8000-00000000000c'
const CONVERSATION = '019b8ad0-7c00-7000-8000-000000000009'

/** Shaped like real ones, with a checksum that does not fit: no server admits them. */
const TOKEN = 'dfoa_EXAMPLE_EXAMPLE_EXAMPLE_EXAMPLE_EXAMPLE_EXA'
const DEVICE_CODE = 'dc_EXAMPLE_EXAMPLE_EXAMPLE_EXAMPLE_'
const USER_CODE = 'WDJB-MJHT'

const ORIGIN = 'https://latchkey.example'
const ISSUER = `${ORIGIN}/openapi/v1`
const NOON = '2026-01-05T12:00:00.000Z'
const NOON_S = 1_767_614_400
const LATER = '2026-01-19T12:00:00.000Z'
const FORTNIGHT_S = 14 * 86_400

const account = { id: ACCOUNT, email: 'olive@example.com', name: 'Olive' }
const workspace = { id: WORKSPACE, name: 'Olive’s workspace', role: 'owner' }
const row = { ...workspace, status: 'normal', current: true }
const onePage = <Row>(limit: number, data: Row) => ({ page: 1, limit, total: 1, has_more: false, data: [data] })
const revoked = { status: 'revoked' as const }
const usage = { prompt_tokens: 12, completion_tokens: 5, total_tokens: 17 }
const app = {
  id: APP,
  name: 'Greeting',
  description: 'Greets by name',
  mode: 'workflow',
  updated_at: NOON,
  workspace_id: WORKSPACE,
  workspace_name: workspace.name,
}
const member = { id: MEMBER, name: 'Max', email: 'max@example.com', role: 'normal', status: 'active' }
const dsl = { current_dsl_version: '0.6.0', imported_dsl_version: '0.6.0' }
const imported = { id: IMPORT, status: 'completed' as const, app_id: APP, app_mode: 'workflow', ...dsl, error: '' }
const nothing = { id: IMPORT, app_id: null, app_mode: null }
const FILE = 'version: "0.6.0"\nkind: app\napp:\n  name: Greeting\n  mode: workflow\nworkflow: {}\n'
const graph = { workflow_run_id: RUN, task_id: TASK }
const message = { message_id: MESSAGE, conversation_id: CONVERSATION, task_id: TASK, created_at: NOON_S }

export const examples = {
  health: { reply: { ok: true as const } },
  ready: { reply: { ready: true as const, degraded: [] } },
  version: { reply: { version: '1.0.0', edition: 'SELF_HOSTED' as const } },
  openapi: { reply: { openapi: '3.1.0', info: { title: 'Latchkey', version: '1.0.0' }, paths: {} } },
  metadata: {
    reply: {
      issuer: ISSUER,
      device_authorization_endpoint: `${ISSUER}/oauth/device/code`,
      token_endpoint: `${ISSUER}/oauth/device/token`,
      token_endpoint_auth_methods_supported: ['none'],
      introspection_endpoint: `${ISSUER}/oauth/introspect`,
      introspection_endpoint_auth_methods_supported: ['Bearer'],
      revocation_endpoint: `${ISSUER}/oauth/revoke`,
      revocation_endpoint_auth_methods_supported: ['none'],
      grant_types_supported: ['urn:ietf:params:oauth:grant-type:device_code'],
      response_types_supported: [],
      scopes_supported: ['full', 'apps:read', 'apps:run', 'apps:read:permitted'],
      service_documentation: `${ISSUER}/openapi.json`,
    },
  },

  startDeviceFlow: {
    body: { client_id: 'latchkey', device_label: 'Olive’s laptop' },
    reply: {
      device_code: DEVICE_CODE,
      user_code: USER_CODE,
      verification_uri: `${ORIGIN}/device`,
      verification_uri_complete: `${ORIGIN}/device?user_code=${USER_CODE}`,
      expires_in: 900,
      interval: 5,
    },
  },
  pollToken: {
    body: {
      grant_type: 'urn:ietf:params:oauth:grant-type:device_code',
      device_code: DEVICE_CODE,
      client_id: 'latchkey',
    },
    reply: {
      token: TOKEN,
      access_token: TOKEN,
      token_type: 'Bearer' as const,
      expires_in: FORTNIGHT_S,
      scope: 'full',
      expires_at: LATER,
      subject_type: 'account' as const,
      account,
      workspaces: [workspace],
      default_workspace_id: WORKSPACE,
      token_id: TOKEN_ID,
    },
  },
  lookUp: {
    query: { user_code: USER_CODE },
    reply: { valid: true, expires_in_remaining: 840, client_id: 'latchkey' },
  },
  approve: { body: { user_code: USER_CODE }, reply: { status: 'approved' as const } },
  deny: { body: { user_code: USER_CODE }, reply: { status: 'denied' as const } },

  ssoInitiate: { query: { user_code: USER_CODE }, reply: {} },
  ssoComplete: { query: { sso_assertion: 'eyJhbGciOiJIUzI1NiJ9.e30.c2lnbmF0dXJl' }, reply: {} },
  ssoCallback: { query: { state: 'af0ifjsldkj', code: 'SplxlOBeZQQYbYS6WxSbIA', error: 'access_denied' }, reply: {} },
  backchannelLogout: { body: { logout_token: 'eyJhbGciOiJSUzI1NiJ9.e30.c2lnbmF0dXJl' }, reply: {} },
  approvalContext: {
    reply: {
      subject_email: 'sam@partner.example',
      subject_issuer: 'https://idp.partner.example',
      user_code: USER_CODE,
      csrf_token: 'EXAMPLE_EXAMPLE_EXAMPLE_EXAMPLE_',
      expires_at: '2026-01-05T12:05:00.000Z',
    },
  },
  approveExternal: { body: { user_code: USER_CODE }, reply: { status: 'approved' as const } },

  introspect: {
    body: { token: TOKEN, token_type_hint: 'access_token' },
    reply: {
      active: true,
      scope: 'full',
      client_id: 'latchkey',
      username: account.email,
      token_type: 'Bearer' as const,
      exp: NOON_S + FORTNIGHT_S,
      iat: NOON_S,
      sub: ACCOUNT,
    },
  },
  revoke: { body: { token: TOKEN }, reply: {} },

  account: {
    reply: {
      subject_type: 'account' as const,
      subject_email: account.email,
      subject_issuer: null,
      account,
      workspaces: [workspace],
      default_workspace_id: WORKSPACE,
    },
  },
  sessions: {
    query: { page: '1', limit: '100' },
    reply: onePage(100, {
      id: TOKEN_ID,
      prefix: 'dfoa_',
      client_id: 'latchkey',
      device_label: 'Olive’s laptop',
      created_at: NOON,
      last_used_at: NOON,
      expires_at: LATER,
      last_used_ip: '203.0.113.7',
      current: true,
    }),
  },
  revokeSelf: { reply: revoked },
  revokeOne: { params: { id: TOKEN_ID }, reply: revoked },

  workspaces: { reply: { workspaces: [row], ...onePage(200, row) } },
  switchWorkspace: { params: { id: WORKSPACE }, reply: row },
  members: { params: { id: WORKSPACE }, query: { page: '1', limit: '100' }, reply: onePage(100, member) },
  addMember: {
    params: { id: WORKSPACE },
    body: { email: member.email, role: 'normal' as const },
    reply: member,
  },
  setRole: {
    params: { id: WORKSPACE, mid: MEMBER },
    body: { role: 'admin' as const },
    reply: { ...member, role: 'admin' },
  },
  removeMember: { params: { id: WORKSPACE, mid: MEMBER }, reply: { result: 'success' as const } },
  importApp: {
    params: { id: WORKSPACE },
    body: { mode: 'yaml-content' as const, yaml_content: FILE, name: 'Greeting' },
    reply: imported,
  },
  confirmImport: { params: { id: WORKSPACE, iid: IMPORT }, reply: imported },
  importPending: { ...nothing, status: 'pending', ...dsl, imported_dsl_version: '1.0.0', error: '' },
  importFailed: {
    ...nothing,
    status: 'failed',
    ...dsl,
    imported_dsl_version: '',
    error: '`workflow.graph` is missing',
    code: 'bad_request',
    message: '`workflow.graph` is missing',
  },
  workspace: { params: { id: WORKSPACE }, reply: { ...row, created_at: NOON } },

  apps: {
    query: { workspace_id: WORKSPACE, page: '1', limit: '20', mode: 'workflow' as const, name: 'greet', tag: 'demo' },
    reply: onePage(20, { ...app, tags: [{ name: 'demo' }], created_by_name: 'Olive' }),
  },
  permittedApps: {
    query: { page: '1', limit: '20', mode: 'workflow' as const, name: 'greet' },
    reply: onePage(20, { ...app, tags: [], created_by_name: null }),
  },
  exportApp: {
    params: { id: APP },
    query: { include_secret: 'false' as const, workflow_id: WORKFLOW },
    reply: { data: FILE },
  },
  checkDependencies: {
    params: { id: APP },
    reply: {
      leaked_dependencies: [
        {
          type: 'marketplace',
          value: { marketplace_plugin_unique_identifier: 'langgenius/openai:0.2.5@0000' },
          current_identifier: null,
        },
      ],
    },
  },
  describeApp: {
    params: { id: APP },
    query: { fields: 'info,input_schema', workspace_id: WORKSPACE },
    reply: {
      info: {
        id: APP,
        name: 'Greeting',
        description: 'Greets by name',
        mode: 'workflow',
        author: 'Olive',
        tags: [{ name: 'demo' }],
        updated_at: NOON,
        service_api_enabled: true,
        is_agent: false,
      },
      parameters: null,
      input_schema: {
        $schema: 'https://json-schema.org/draft/2020-12/schema',
        type: 'object',
        properties: {
          inputs: {
            type: 'object',
            properties: { name: { type: 'string', title: 'Your name', maxLength: 48 } },
            required: ['name'],
            additionalProperties: false,
          },
        },
        required: ['inputs'],
      },
    },
  },
  showForm: {
    params: { id: APP, token: FORM_TOKEN },
    reply: {
      form_id: FORM,
      node_id: 'ask',
      node_title: 'Ask',
      form_content: 'Send this to Olive? {{#$output.note#}}',
      inputs: [{ type: 'paragraph', output_variable_name: 'note' }],
      actions: [{ id: 'yes', title: 'Send', button_style: 'primary' }],
      display_in_ui: true,
      form_token: FORM_TOKEN,
      resolved_default_values: { note: '' },
      expiration_time: NOON_S + FORTNIGHT_S,
    },
  },

  answerForm: {
    params: { id: APP, token: FORM_TOKEN },
    body: { action: 'yes', inputs: { note: 'Greet her from me.' } },
    reply: { workflow_run_id: RUN, task_id: TASK },
  },

  uploadFile: {
    params: { id: APP },
    reply: {
      id: TASK,
      name: 'invoice.pdf',
      size: 48_213,
      extension: 'pdf',
      mime_type: 'application/pdf',
      created_by: RUN,
      created_at: 1_767_225_600,
    },
  },

  stopTask: { params: { id: APP, task: TASK }, reply: { result: 'success' as const } },

  followRun: {
    params: { id: APP, run: RUN },
    query: { include_state_snapshot: 'true' as const, continue_on_pause: 'true' as const },
    reply: {},
    events: [
      { event: 'text_chunk', ...graph, data: { text: 'Hello, ', from_variable_selector: null } },
      { event: 'text_chunk', ...graph, data: { text: 'Olive!', from_variable_selector: null } },
      {
        event: 'workflow_finished',
        ...graph,
        data: {
          id: RUN,
          workflow_id: WORKFLOW,
          status: 'succeeded',
          outputs: { greeting: 'Hello, Olive!' },
          error: null,
          elapsed_time: 0.25,
          total_tokens: usage.total_tokens,
          total_steps: 3,
          created_by: account,
          created_at: NOON_S,
          finished_at: NOON_S,
          exceptions_count: 0,
          files: [],
        },
      },
    ],
  },

  run: {
    params: { id: APP },
    body: { inputs: { name: 'Olive' }, response_mode: 'blocking' as const },
    reply: {
      workflow_run_id: RUN,
      task_id: TASK,
      mode: 'workflow' as const,
      data: {
        id: RUN,
        workflow_id: WORKFLOW,
        status: 'succeeded' as const,
        outputs: { greeting: 'Hello, Olive!' },
        error: null,
        elapsed_time: 0.25,
        total_tokens: usage.total_tokens,
        total_steps: 3,
        created_at: NOON_S,
        finished_at: NOON_S,
      },
    },
    events: [
      { event: 'message', ...message, id: MESSAGE, answer: 'Hello, ' },
      { event: 'message', ...message, id: MESSAGE, answer: 'Olive!' },
      { event: 'message_end', ...message, id: MESSAGE, metadata: { usage, retriever_resources: [] }, files: [] },
    ],
  },
}
