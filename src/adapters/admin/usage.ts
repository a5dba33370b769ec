/** What `--help` shows of the operators' commands. */
export const ADMIN_USAGE = `Usage: latchkey COMMAND [options]

  serve                                     serve the API and the pages (the default)
  migrate                                   bring the database up to date, then exit
  doctor [--json]                           look at everything a server needs, change nothing, say how to mend it
  prune [--json]                            delete tokens, uploads and traces of runs past their time
  run show RUN_ID [--json]                  what each node of a run was given, gave and took, without secrets
  audit --since WHEN [--event EVENT] [--json]
                                            what happened since 90m, 24h, 7d, a date or an instant, oldest first
  app import FILE [--name NAME] [--confirm] [--workspace ID] [--as EMAIL] [--json]
                                            import an exported app ("-" reads standard input); --confirm takes
                                            a file of a newer format
  app list [--workspace ID] [--as EMAIL] [--json]
  app check APP [--workspace ID] [--as EMAIL] [--json]
                                            what has to be bound before an app (id or name) can run
  app export APP [--include-secret] [--workspace ID] [--as EMAIL] [--json]
                                            an app as a file again, on standard output
  app bind-upstream APP --url URL KEY [--workspace ID] [--as EMAIL] [--json]
                                            run an app on an existing Dify: URL is its API up to the version
                                            (https://dify.example/v1), KEY its key there (--key-stdin,
                                            --key-env VARIABLE, or --key KEY, which others may see)
  app unbind-upstream APP [--workspace ID] [--as EMAIL] [--json]
                                            run it here again
  app access APP [--mode MODE] [--grant WHO]… [--withdraw WHO]… [--workspace ID] [--as EMAIL] [--json]
                                            whom an app admits on Enterprise. MODE: public, sso_verified,
                                            private_all or private; WHO: an email, @domain or group:NAME
  app try FOLDER [--recording FILE] [--json]
                                            import and play every app file of a folder with a scripted model,
                                            without a server
  binding list [--workspace ID] [--as EMAIL] [--json]
  binding set model PROVIDER [NAME] --url URL [--model NAME] [KEY]
  binding set dataset ID --url URL [--knowledge ID] [KEY]
  binding set tool PROVIDER [NAME] --openapi FILE [--url URL] [--operation ID] [--header NAME] [KEY]
  binding set tool PROVIDER [NAME] --mcp URL [--tool NAME] [KEY]
  binding set tool PROVIDER [NAME] --app ID | --js FILE
                                            what a model, dataset or tool of app files is here; without NAME all
                                            of the provider. KEY: --key-stdin, --key-env VARIABLE or --no-key;
                                            none keeps the key that is there. Each takes
                                            [--workspace ID] [--as EMAIL] [--json], too
  binding remove KIND PROVIDER [NAME] [--workspace ID] [--as EMAIL] [--json]
  account create --email EMAIL --name NAME [--workspace ID] [--role ROLE] [--as EMAIL] [--json]
                                            add a person as normal (if no ROLE says so), editor, admin or owner;
                                            the password is asked for, or read from a pipe
  account ban EMAIL [--json]                shut a person out: their terminals and browsers are signed out at once
  account unban EMAIL [--json]              let them sign in again
  account close EMAIL [--json]              shut a person out for good
  external block EMAIL [--issuer URL] [--json]
                                            shut out a person known only to the identity provider, at once
  external unblock EMAIL [--issuer URL] [--json]
  external groups EMAIL --issuer URL --groups A,B [--json]
                                            the person's groups until the next sign-on
  session list --email EMAIL [--json]       the terminals signed in as a person
  session revoke ID --email EMAIL [--json]  end one of them

The prune, run show, audit, app, binding, account, external and session commands work on the configured database, also beside a running server.
`

/** The lines of `--help` for the command that `argv` begins with; all of them when there is none. */
export function usageFor(argv: readonly string[]): string {
  const words = before(argv, (one) => one.startsWith('-'))
  const entries = ADMIN_USAGE.split(/\n(?= {2}\S)/).slice(1)
  for (const name of [words.slice(0, 2), words.slice(0, 1)].map((some) => some.join(' '))) {
    const own = entries.filter((entry) => name !== '' && `${entry} `.startsWith(`  ${name} `))
    // The last entry stands before what is said of all.
    if (own.length > 0) return `Usage:\n\n${own.map((entry) => entry.split('\n\n')[0]).join('\n')}\n`
  }
  return ADMIN_USAGE
}

/** Whether `argv` asks for help, which is no more than a word after `--`. */
export function asksForHelp(argv: readonly string[]): boolean {
  const options = before(argv, (one) => one === '--')
  return options.includes('--help') || options.includes('-h')
}

function before(argv: readonly string[], isEnd: (one: string) => boolean): readonly string[] {
  const end = argv.findIndex(isEnd)
  return end === -1 ? argv : argv.slice(0, end)
}
