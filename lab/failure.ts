/** A failure that the reader can cure: the message names the cause and the remedy. */
export class LabError extends Error {
  override readonly name = 'LabError'
}

export function textOf(failure: unknown): string {
  return failure instanceof Error ? failure.message : String(failure)
}
