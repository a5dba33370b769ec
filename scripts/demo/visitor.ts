export type Person = { readonly email: string; readonly name: string; readonly password: string }

/** Who uses the pages: the steps a person takes in a browser. */
export type Visitor = {
  /** What the demo says it used. */
  readonly means: string
  /** Creates the first account at `/install`. */
  install(server: string, person: Person): Promise<void>
  signIn(server: string, person: Person): Promise<void>
  /** Opens the link, compares the code it shows and approves. */
  approve(link: string, userCode: string): Promise<void>
  close(): Promise<void>
}
