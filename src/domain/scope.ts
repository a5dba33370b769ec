/** What a bearer may do. `full` satisfies any requirement. */
export type Scope = 'full' | 'apps:read' | 'apps:run' | 'apps:read:permitted'

/** Whether a token that holds `held` may do what `required` names. */
export function grants(held: readonly Scope[], required: Scope): boolean {
  return held.includes('full') || held.includes(required)
}
