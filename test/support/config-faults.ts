import { ConfigError, loadConfig } from '#src/config.ts'

/** What a start with `env` is refused with; empty when it is not. */
export function faultsOf(env: Readonly<Record<string, string>>): readonly string[] {
  try {
    loadConfig(env)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.faults
    throw error
  }
}
