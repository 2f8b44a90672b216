import type { Cluster } from '../../src/cluster/cluster.ts'
import { UserError } from '../../src/errors.ts'
import { signIn } from './person.ts'

/** Where the database of an environment runs in the lab. */
export type DatabasePlace = { readonly namespace: string; readonly pod: string }

const TITLE = 'buy milk'
/** A person that exists in the lab only; the lab's databases hold nothing else. */
const PERSON = { email: 'demo@example.org', password: 'only-for-the-demo-1' }
const QUERY =
  "SELECT count(*) FROM tasks JOIN users ON users.id = tasks.user_id WHERE email = 'demo@example.org' AND title = 'buy milk'"
const ASK = [
  'export PGPASSWORD="$(cat "$POSTGRES_PASSWORD_FILE")"',
  'exec psql -X -A -t -h 127.0.0.1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -c "$0"',
].join('; ')

/** Asks the chat for a todo, once, and finds it in the database: frontend → backend → agent → MCP → PostgreSQL. */
export async function addTodoByChat(
  url: string,
  place: DatabasePlace,
  cluster: Cluster,
): Promise<string> {
  const person = await signIn(url, PERSON)
  const there = (await person.tasks()).some((title) => title.toLowerCase() === TITLE)
  const reply = there ? 'it was there already' : await person.say(`add ${TITLE}`)
  const rows = await countRows(place, cluster)
  if (rows < 1) throw new UserError(`The chat said "${reply}", and the database has no such todo`)
  return `"${TITLE}" is in the database of ${place.namespace} (${reply})`
}

async function countRows({ namespace, pod }: DatabasePlace, cluster: Cluster): Promise<number> {
  const answer = await cluster.exec({
    namespace,
    pod,
    container: pod.replace(/-\d+$/, ''),
    argv: ['sh', '-c', ASK, QUERY],
    timeoutSeconds: 20,
  })
  if (answer.status !== 0)
    throw new UserError(`The database of ${namespace} can't be asked`, [answer.stderr])
  return Number(answer.stdout.trim())
}
