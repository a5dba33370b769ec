import { Provider } from 'oidc-provider'
import { DEVICE_GRANT, PEER_CLIENT_ID } from './peer-client.ts'

// The peer: an authorization server that keeps its flows in the memory store it comes with. No logs, no pages of its
// own, no client secret to check: nothing that a device code or a poll does not need.
const port = Number(process.env.PORT)
const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [
    {
      client_id: PEER_CLIENT_ID,
      token_endpoint_auth_method: 'none',
      grant_types: [DEVICE_GRANT],
      redirect_uris: [],
      response_types: [],
    },
  ],
  features: { deviceFlow: { enabled: true }, devInteractions: { enabled: false } },
})
provider.listen(port, '127.0.0.1')
