import { reasonOf } from '../cluster/cluster.ts'
import { UserError } from '../errors.ts'
import { at, listAt, parseJson, textAt } from '../json.ts'
import { type Check, type CheckContext, fail, type Finding, pass, serviceProxy } from './check.ts'

type McpTarget = NonNullable<CheckContext['plan']['mcp']>

const TIMEOUT_S = 15
/** The newest revision of the protocol with an `initialize` handshake; servers answer with the one they speak. */
const PROTOCOL = '2025-06-18'

/** The MCP server lists its tools and really runs one (streamable HTTP). */
export const mcpCheck: Check = {
  name: 'mcp',
  look: async (context) => {
    const target = context.plan.mcp
    if (target === undefined) return []
    await ask(context, target, {
      id: 1,
      method: 'initialize',
      params: {
        protocolVersion: PROTOCOL,
        capabilities: {},
        clientInfo: { name: 'todo-deploy', version: '1' },
      },
    })
    const listed = await ask(context, target, { id: 2, method: 'tools/list', params: {} })
    const names = listAt(listed, 'result', 'tools').map((tool) => textAt(tool, 'name') ?? '')
    return [toolsFinding(target, names), await callFinding(context, target)]
  },
}

function toolsFinding(target: McpTarget, names: readonly string[]): Finding {
  const missing = target.tools.filter((tool) => !names.includes(tool))
  return missing.length === 0
    ? pass('tools/list', `${names.length} tools: ${names.join(', ')}`)
    : fail('tools/list', `the server does not list ${missing.join(', ')}`)
}

async function callFinding(context: CheckContext, target: McpTarget): Promise<Finding> {
  const { name, arguments: args } = target.call
  const answer = await ask(context, target, {
    id: 3,
    method: 'tools/call',
    params: { name, arguments: args },
  })
  const failed = at(answer, 'error') !== undefined || at(answer, 'result', 'isError') === true
  const said =
    textAt(answer, 'error', 'message') ?? textAt(answer, 'result', 'content', 0, 'text') ?? ''
  return failed
    ? fail(`tools/call ${name}`, said.slice(0, 200))
    : pass(`tools/call ${name}`, 'answered without an error')
}

async function ask(
  { environment, cluster }: CheckContext,
  target: McpTarget,
  message: {
    readonly id: number
    readonly method: string
    readonly params: Readonly<Record<string, unknown>>
  },
): Promise<unknown> {
  const answer = await cluster.call({
    method: 'POST',
    path: serviceProxy(environment.namespace, target),
    body: { jsonrpc: '2.0', ...message },
    headers: { ...target.headers, accept: 'application/json, text/event-stream' },
    timeoutSeconds: TIMEOUT_S,
  })
  if (answer.status >= 300)
    throw new UserError(`${target.service} answered ${answer.status}: ${reasonOf(answer)}`)
  // A server may answer with plain JSON or with one event of a stream; both are the same message.
  const event = answer.text.split('\n').find((line) => line.startsWith('data:'))
  return answer.body ?? parseJson((event ?? '').slice('data:'.length), 'the answer of MCP')
}
