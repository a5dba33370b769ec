/** A document that cannot be read; the message is for whoever wrote the app, and starts after the file's name. */
export class DocumentFault extends Error {
  override readonly name = 'DocumentFault'
}
