import { parentPort } from 'node:worker_threads'
import { DomainError } from '#domain/errors.ts'
import { type DslTask, type DslVerdict, doTask } from './dsl-task.ts'

/** Answers the one task it was started for. */
parentPort?.once('message', (task: DslTask) => {
  parentPort?.postMessage(verdictOn(task))
})

function verdictOn(task: DslTask): DslVerdict {
  try {
    return { ok: true, value: doTask(task) }
  } catch (error) {
    if (error instanceof DomainError && error.code === 'dsl_invalid') return { ok: false, facts: error.facts }
    throw error
  }
}
