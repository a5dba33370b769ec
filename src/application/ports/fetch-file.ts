/**
 * The text of an app file that somebody names by its address; only from where apps may go, too.
 * @throws DomainError `dsl_invalid` when it cannot be had, in words that name no address that was looked up
 */
export type FetchFile = (url: string) => Promise<string>
