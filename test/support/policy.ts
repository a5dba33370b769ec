import type { AccessPolicy } from '#application/ports/app-access.ts'
import type { IdentityBridge } from '#application/ports/identity-bridge.ts'

/** An Enterprise policy that lets everybody into everything, but for what a test says. */
export function aPolicy(overrides: Partial<AccessPolicy> = {}): AccessPolicy {
  return {
    enabled: async () => true,
    modeOf: async () => 'public',
    permits: async () => true,
    permittedApps: async () => ({ ids: [], total: 0 }),
    ...overrides,
  }
}

/** A licensed bridge whose provider is a page at `idp.example`. */
export function aBridge(overrides: Partial<IdentityBridge> = {}): IdentityBridge {
  return {
    licenseStatus: async () => 'active',
    protocol: async () => 'oidc',
    signOnUrl: async (envelope) => `https://idp.example/sign-on?state=${envelope}`,
    finish: null,
    readLogout: null,
    ...overrides,
  }
}
