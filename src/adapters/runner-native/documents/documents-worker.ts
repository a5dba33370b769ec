import { parentPort } from 'node:worker_threads'
import { type DocumentTask, readDocument } from './document-text.ts'

/** Answers the one task it was started for. */
parentPort?.once('message', (task: DocumentTask) => {
  void readDocument(task).then((verdict) => parentPort?.postMessage(verdict))
})
