const head = (mode: string, name: string) => `version: "0.6.0"
kind: app
app: {name: ${JSON.stringify(name)}, description: "", mode: ${mode}}
`

/** An app of one prompt, answered by the scripted model. */
export function chatFile(name = 'Chat', mode: 'chat' | 'completion' | 'agent-chat' = 'chat'): string {
  return `${head(mode, name)}model_config:
  model: {provider: openai, name: gpt, mode: chat, completion_params: {}}
  pre_prompt: "Answer."
  user_input_form: []
`
}

/** A graph without models or code: start to end. */
export function workflowFile(name = 'Workflow'): string {
  return `${head('workflow', name)}workflow:
  graph:
    nodes:
    - id: start
      data: {type: start, title: Start, variables: []}
    - id: end
      data: {type: end, title: End, outputs: []}
    edges:
    - {id: e, source: start, target: end, sourceHandle: source, targetHandle: target}
`
}
