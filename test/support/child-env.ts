/**
 * What every child of a test gets of our own variables: where programs are, and where compiled code is kept, or each of some
 * hundred servers would compile all of it again.
 */
export const CHILD_ENV: Readonly<Record<string, string>> = {
  PATH: process.env.PATH ?? '',
  ...(process.env.NODE_COMPILE_CACHE === undefined ? {} : { NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE }),
}
