import { spawnSync } from 'node:child_process'
import type { Cluster } from '../../src/cluster/cluster.ts'
import { isObject, parseJson } from '../../src/json.ts'
import { lab } from '../e2e/lab.ts'

/** `from → to` for every connection that is open. */
export type Reach = ReadonlySet<string>
/** Where connections are tried to: name → `host:port`. */
export type Targets = Readonly<Record<string, string>>

const TRY_S = 2
const EXEC_S = 30
/** Answers HTTP on the ports that it is given, on all of them alike. */
const SERVER = `
import http.server as h, sys, threading
class Q(h.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers()
    def log_message(self, *a): pass
for port in map(int, sys.argv[1:]):
    server = h.ThreadingHTTPServer(("", port), Q)
    threading.Thread(target=server.serve_forever).start()
`
/** Tries all targets at once, since a closed one is silent until the time is over. Prints name → open or not. */
const CLIENT = `
import json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def look(address):
    host, port = address.rsplit(":", 1)
    try:
        if port == "dns":
            return bool(socket.gethostbyname(host))
        socket.create_connection((host, int(port)), ${TRY_S}).close()
        return True
    except OSError:
        return False
targets = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(targets)) as pool:
    print(json.dumps(dict(zip(targets, pool.map(look, targets.values())))))
`

/** A pod that carries a workload's name, listens where that workload does, and can try to reach others. */
export function standIn(
  name: string,
  {
    image,
    port,
    labels,
  }: { image: string; port: number; labels: Readonly<Record<string, string>> },
): unknown {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, labels },
    spec: {
      automountServiceAccountToken: false,
      enableServiceLinks: false,
      terminationGracePeriodSeconds: 0,
      securityContext: {
        runAsNonRoot: true,
        runAsUser: 10001,
        seccompProfile: { type: 'RuntimeDefault' },
        // For the one that listens on 443.
        sysctls: [{ name: 'net.ipv4.ip_unprivileged_port_start', value: '0' }],
      },
      containers: [
        {
          name: 'stand-in',
          image,
          command: ['python3', '-c', SERVER, String(port)],
          ports: [{ containerPort: port }],
          // The node's own way to a pod, which no policy may close.
          readinessProbe: { httpGet: { path: '/', port }, periodSeconds: 1 },
          resources: { requests: { cpu: '5m', memory: '16Mi' }, limits: { memory: '64Mi' } },
          securityContext: {
            allowPrivilegeEscalation: false,
            readOnlyRootFilesystem: true,
            capabilities: { drop: ['ALL'] },
          },
        },
      ],
    },
  }
}

/** What a pod reaches now. */
export async function reachOf(
  { namespace, pod }: { readonly namespace: string; readonly pod: string },
  targets: Targets,
  cluster: Cluster,
): Promise<readonly string[]> {
  const answer = await cluster.exec({
    namespace,
    pod,
    container: 'stand-in',
    argv: ['python3', '-c', CLIENT, JSON.stringify(targets)],
    timeoutSeconds: EXEC_S,
  })
  const found = parseJson(answer.stdout, `${pod}: ${answer.stderr} ${answer.message}`)
  if (!isObject(found)) throw new Error(`${pod} could not look`)
  return Object.entries(found).flatMap(([target, open]) =>
    open === true && target !== pod ? [`${pod} → ${target}`] : [],
  )
}

/**
 * The internet, as far as a test may go: a container beside the node, with an address kept for documentation (RFC 5737). Eight
 * addresses and no more: where a network uses that range for something of its own, that would be out of reach meanwhile.
 */
export const internet = {
  address: '198.51.100.246',
  network: 'todo-stack-internet',
  open: (image: string, ports: readonly number[]): void => {
    internet.close()
    docker('network', 'create', '--subnet', '198.51.100.240/29', internet.network)
    docker('network', 'connect', internet.network, NODE)
    docker(
      ...['run', '--detach', '--rm', '--name', internet.network, '--network', internet.network],
      ...['--ip', internet.address, '--entrypoint', 'python3', image, '-c', SERVER],
      ...ports.map(String),
    )
  },
  close: (): void => {
    for (const argv of [
      ['rm', '--force', internet.network],
      ['network', 'disconnect', '--force', internet.network, NODE],
      ['network', 'rm', internet.network],
    ])
      spawnSync('docker', argv, { env: dockerEnvironment(), timeout: 30_000 })
  },
}

const NODE = `${lab.context.replace(/^kind-/, '')}-control-plane`

function docker(...argv: readonly string[]): void {
  const { status, stderr } = spawnSync('docker', argv, {
    encoding: 'utf8',
    env: dockerEnvironment(),
    timeout: 60_000,
  })
  if (status !== 0) throw new Error(`docker ${argv[0] ?? ''} failed: ${stderr}`)
}

function dockerEnvironment(): NodeJS.ProcessEnv {
  return { ...process.env, ...lab.environment, DOCKER_HOST: lab.dockerHost }
}
