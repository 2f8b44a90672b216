import { changeSession } from '../../../../server/sign-in.ts'

interface Params {
  readonly params: Promise<{ action: string }>
}

export async function POST(request: Request, { params }: Params): Promise<Response> {
  return changeSession(request, (await params).action)
}
