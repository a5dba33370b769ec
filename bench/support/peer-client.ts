/** RFC 8628 §3.4 `grant_type`. */
export const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code'
export const PEER_CLIENT_ID = 'latchkey'
