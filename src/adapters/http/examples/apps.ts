import { APP, NOON, onePage, WORKFLOW, WORKSPACE, workspace } from './scene.ts'

const IMPORT = '019b8ad0-7c00-7000-8000-00000000000c'
const FILE = 'version: "0.6.0"\nkind: app\napp:\n  name: Greeting\n  mode: workflow\nworkflow: {}\n'
const app = {
  id: APP,
  name: 'Greeting',
  description: 'Greets by name',
  mode: 'workflow',
  updated_at: NOON,
  workspace_id: WORKSPACE,
  workspace_name: workspace.name,
}
const dsl = { current_dsl_version: '0.6.0', imported_dsl_version: '0.6.0' }
const imported = { id: IMPORT, status: 'completed' as const, app_id: APP, app_mode: 'workflow', ...dsl, error: '' }
const nothing = { id: IMPORT, app_id: null, app_mode: null }

/** The greeting as an app: found, described, written to a file and read from one. */
export const appExamples = {
  apps: {
    query: { workspace_id: WORKSPACE, page: '1', limit: '20', mode: 'workflow' as const, name: 'greet', tag: 'demo' },
    reply: onePage(20, { ...app, tags: [{ name: 'demo' }], created_by_name: 'Olive' }),
  },
  permittedApps: {
    query: { page: '1', limit: '20', mode: 'workflow' as const, name: 'greet' },
    reply: onePage(20, { ...app, tags: [], created_by_name: null }),
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
}
