/** How every route that takes a bearer may refuse it. */
export const bearerErrors = ['bearer_required', 'invalid_bearer', 'bearer_auth_disabled', 'rate_limited'] as const
