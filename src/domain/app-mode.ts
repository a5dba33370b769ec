/** Every mode an app can be stored with; `channel` and `rag-pipeline` are listed but not run. */
export const APP_MODES = [
  'completion',
  'workflow',
  'chat',
  'advanced-chat',
  'agent-chat',
  'channel',
  'rag-pipeline',
] as const
export type AppMode = (typeof APP_MODES)[number]

/** How a run is answered: each family has its own body and events. */
export type RunFamily = 'chat' | 'completion' | 'workflow'

/** The family of a mode, or null when it cannot be run. */
export function familyOf(mode: AppMode): RunFamily | null {
  switch (mode) {
    case 'chat':
    case 'agent-chat':
    case 'advanced-chat':
      return 'chat'
    case 'completion':
    case 'workflow':
      return mode
    case 'channel':
    case 'rag-pipeline':
      return null
  }
}

/** Whether the app is a graph of nodes rather than one prompt. */
export function isGraphMode(mode: AppMode): boolean {
  return mode === 'workflow' || mode === 'advanced-chat'
}

/** What a hang-up of the reader means: a chat has nobody left to talk to, a workflow has work to finish. */
export function onHangUp(mode: AppMode): 'stop' | 'continue' {
  return mode === 'workflow' ? 'continue' : 'stop'
}
