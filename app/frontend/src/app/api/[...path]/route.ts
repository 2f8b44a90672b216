import { passThrough } from '../../../server/pass-through.ts'

interface Params {
  readonly params: Promise<{ path: string[] }>
}

async function handle(request: Request, { params }: Params): Promise<Response> {
  return passThrough(request, (await params).path)
}

export { handle as GET, handle as POST, handle as PUT, handle as PATCH, handle as DELETE }
