import { ACCOUNT, account, FORTNIGHT_S, LATER, NOON_S, ORIGIN, TOKEN_ID, WORKSPACE, workspace } from './scene.ts'

/** Shaped like real ones, with a checksum that does not fit: no server admits them. */
const TOKEN = 'dfoa_EXAMPLE_EXAMPLE_EXAMPLE_EXAMPLE_EXAMPLE_EXA'
const DEVICE_CODE = 'dc_EXAMPLE_EXAMPLE_EXAMPLE_EXAMPLE_'
const USER_CODE = 'WDJB-MJHT'

/** Olive signs her laptop in; Sam of a partner company does so by their identity provider. */
export const signInExamples = {
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
}
