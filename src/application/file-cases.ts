import type { UploadRules } from '#domain/uploaded-file.ts'
import type { CoreSettings, Ports } from './ports.ts'
import { makeOpenLinkedFile, type OpenLinkedFile } from './use-cases/open-linked-file.ts'
import { makePruneFiles, type PruneFiles } from './use-cases/prune-files.ts'
import { makeUploadFile, type UploadFile } from './use-cases/upload-file.ts'

/** Uploaded files: how they come, are fetched by others, and go. */
export type FileCases = {
  /** What may be uploaded. */
  readonly uploadRules: UploadRules
  readonly uploadFile: UploadFile
  readonly openLinkedFile: OpenLinkedFile
  readonly pruneFiles: PruneFiles
}

export function makeFileCases(ports: Ports, settings: CoreSettings): FileCases {
  return {
    uploadRules: settings.uploads,
    uploadFile: makeUploadFile({ ...ports, settings }),
    openLinkedFile: makeOpenLinkedFile(ports),
    pruneFiles: makePruneFiles({ ...ports, settings }),
  }
}
