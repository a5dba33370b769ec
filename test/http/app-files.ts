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

/** A graph that hands a JSON object from start to end. */
export function jsonFile(name = 'JSON'): string {
  return `${head('workflow', name)}workflow:
  graph:
    nodes:
    - id: start
      data: {type: start, title: Start, variables: [{variable: j, type: json_object, label: J, required: false}]}
    - id: end
      data: {type: end, title: End, outputs: [{variable: out, value_selector: [start, j]}]}
    edges:
    - {id: e, source: start, target: end, sourceHandle: source, targetHandle: target}
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

/** A chat that is a graph: start, one model node, its answer. */
export function graphChatFile(name = 'Graph chat'): string {
  return `${head('advanced-chat', name)}workflow:
  graph:
    nodes:
    - id: start
      data: {type: start, title: Start, variables: []}
    - id: llm
      data:
        type: llm
        title: Model
        model: {provider: openai, name: gpt, mode: chat, completion_params: {}}
        prompt_template: [{role: user, text: "{{#sys.query#}}"}]
    - id: answer
      data: {type: answer, title: Answer, answer: "{{#llm.text#}}"}
    edges:
    - {id: e1, source: start, target: llm, sourceHandle: source, targetHandle: target}
    - {id: e2, source: llm, target: answer, sourceHandle: source, targetHandle: target}
`
}

const MIDDLE = {
  shows: '',
  throws: `
    - id: middle
      data: {type: code, title: Code, code_language: javascript, variables: [], outputs: {}, code: "function main() { throw new Error('no') }"}`,
  asks: `
    - id: middle
      data:
        type: llm
        title: Model
        model: {provider: openai, name: gpt, mode: chat, completion_params: {}}
        prompt_template: [{role: user, text: "{{#start.name#}}"}]`,
}

/** A workflow with a form, which shows its inputs, throws, or asks the model. */
export function formFile(does: keyof typeof MIDDLE): string {
  const via = does === 'shows' ? 'end' : 'middle'
  return `${head('workflow', 'Form')}workflow:
  graph:
    nodes:
    - id: start
      data:
        type: start
        title: Start
        variables:
        - {variable: name, label: Name, type: text-input, required: true, max_length: 100}
        - {variable: size, label: Size, type: number, required: false}
        - {variable: tone, label: Tone, type: select, required: false, options: [warm, cool]}${MIDDLE[does]}
    - id: end
      data:
        type: end
        title: End
        outputs:
        - {variable: name, value_selector: [start, name]}
        - {variable: size, value_selector: [start, size]}
    edges:
    - {id: e1, source: start, target: ${via}, sourceHandle: source, targetHandle: target}
    - {id: e2, source: middle, target: end, sourceHandle: source, targetHandle: target}
`
}

/** A workflow that asks a person whether it may go on. */
export const askingFile = `version: "0.6.0"
kind: app
app: {name: Asking, description: "", mode: workflow}
workflow:
  graph:
    nodes:
    - id: start
      data: {type: start, title: Start, variables: [{variable: who, type: text-input, label: Who, required: true}]}
    - id: ask
      data:
        type: human-input
        title: Ask
        form_content: "Let {{#start.who#}} in? {{#$output.why#}}"
        inputs: [{type: paragraph, output_variable_name: why, default: {type: constant, value: because}}]
        user_actions: [{id: yes, title: "Yes"}, {id: no, title: "No"}]
        timeout: 1
        timeout_unit: hour
    - id: in
      data: {type: end, title: In, outputs: [{variable: why, value_selector: [ask, why]}]}
    - id: out
      data: {type: end, title: Out, outputs: [{variable: refused, value_selector: [ask, __action_id]}]}
    edges:
    - {id: e1, source: start, target: ask, sourceHandle: source, targetHandle: target}
    - {id: e2, source: ask, target: in, sourceHandle: "yes", targetHandle: target}
    - {id: e3, source: ask, target: out, sourceHandle: "no", targetHandle: target}
`
