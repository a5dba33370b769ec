import type { ModelMessage, ToolCall } from '../models/model-client.ts'
import { addUsage } from '../models/whole-answer.ts'
import type { AgentStep, AgentTask, Tally, ToolUse } from './agent-task.ts'
import { observe } from './agent-tool.ts'

/** The loop of an agent whose model calls functions. */
export async function* callFunctions(task: AgentTask, tally: Tally, signal: AbortSignal): AsyncGenerator<AgentStep> {
  const { instruction, history, query, tools } = task
  const messages: ModelMessage[] = [
    ...(instruction.trim() === '' ? [] : [{ role: 'system' as const, text: instruction }]),
    ...history,
    query,
  ]
  for (let position = 1; ; position++) {
    // Without tools to call, the last round can only answer.
    const offers = position > task.maxRounds ? [] : tools.map(({ offer }) => offer)
    yield { kind: 'round', position }
    const calls: ToolCall[] = []
    let thought = ''
    for await (const chunk of task.model.stream({ ...task.request, messages: [...messages], tools: offers }, signal)) {
      if (chunk.kind === 'usage') tally.usage = addUsage(tally.usage, chunk.usage)
      else if (chunk.kind === 'call') calls.push(chunk.call)
      else if (chunk.kind === 'text') {
        thought += chunk.delta
        yield { kind: 'text', delta: chunk.delta }
      }
    }
    if (calls.length === 0 || offers.length === 0 || signal.aborted) {
      yield { kind: 'answered', position, thought }
      return
    }
    const uses: readonly ToolUse[] = calls.map((call) => useOf(task, call))
    yield { kind: 'used', position, thought, uses }
    messages.push({ role: 'assistant', text: thought, calls })
    const answered: ToolUse[] = []
    for (const [at, call] of calls.entries()) {
      const { text, output } = await observe(tools, call.name, call.arguments, signal)
      if (output?.usage !== undefined) tally.usage = addUsage(tally.usage, output.usage)
      tally.json.push(...(output?.json ?? []))
      tally.files.push(...(output?.files ?? []))
      messages.push({ role: 'tool', text, callId: call.id })
      const use = uses[at]
      if (use !== undefined) answered.push({ ...use, observation: text })
    }
    yield { kind: 'used', position, thought, uses: answered }
  }
}

function useOf({ tools }: AgentTask, { name, arguments: input }: ToolCall): ToolUse {
  const label = tools.find(({ offer }) => offer.name === name)?.label ?? name
  return { tool: name, label, input, observation: null }
}
