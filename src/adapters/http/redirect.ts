/** An answer that sends the browser on: always 302, and to a place that we chose or an operator configured. */
export type Redirect = { readonly kind: 'redirect'; readonly location: string }

/** Redirects to `location`: a path of ours, or an absolute URL. */
export function redirect(location: string): Redirect {
  return { kind: 'redirect', location }
}
