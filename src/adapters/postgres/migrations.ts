import { InitialMigration } from '../../../migrations/20261121000000-initial.ts'
import { AuditByTimeMigration } from '../../../migrations/20261121100000-audit-by-time.ts'
import { AppBindingsMigration } from '../../../migrations/20261121120000-app-bindings.ts'
import { ExternalSubjectsMigration } from '../../../migrations/20261121130000-external-subjects.ts'
import { RunPausesMigration } from '../../../migrations/20261121140000-run-pauses.ts'
import { FollowedRunsMigration } from '../../../migrations/20261121170000-followed-runs.ts'
import { UploadFilesMigration } from '../../../migrations/20261121180000-upload-files.ts'
import { LaterSurfaceMigration } from '../../../migrations/20261121190000-later-surface.ts'
import { UpstreamAppsMigration } from '../../../migrations/20261121200000-upstream-apps.ts'
import { NodeTracesMigration } from '../../../migrations/20261121210000-node-traces.ts'
import { PermittedAppsMigration } from '../../../migrations/20261121220000-permitted-apps.ts'
import { FormExpiryMigration } from '../../../migrations/20261121230000-form-expiry.ts'
import { UploadQuotaMigration } from '../../../migrations/20261122000000-upload-quota.ts'
import { SignInExpiryMigration } from '../../../migrations/20261122010000-sign-in-expiry.ts'

/** Every migration, oldest first; listed rather than globbed, so a stray file cannot change a database. */
export const MIGRATIONS = [
  InitialMigration,
  AuditByTimeMigration,
  AppBindingsMigration,
  ExternalSubjectsMigration,
  RunPausesMigration,
  FollowedRunsMigration,
  UploadFilesMigration,
  LaterSurfaceMigration,
  UpstreamAppsMigration,
  NodeTracesMigration,
  PermittedAppsMigration,
  FormExpiryMigration,
  UploadQuotaMigration,
  SignInExpiryMigration,
]
