import { attempt, run, succeeds } from './command.ts'
import { LabError } from './failure.ts'

interface Package {
  readonly name: string
  readonly program: string
  readonly why: string
}

const forEngine: readonly Package[] = [
  { name: 'docker.io', program: 'dockerd', why: 'the container engine' },
  { name: 'containerd', program: 'containerd', why: 'what the engine runs containers with' },
  { name: 'iptables', program: 'iptables', why: "the engine's networks" },
  { name: 'iproute2', program: 'ip', why: "the engine's networks" },
]
const forImages: readonly Package[] = [
  { name: 'mmdebstrap', program: 'mmdebstrap', why: 'makes the base images' },
  { name: 'openssl', program: 'openssl', why: "the demo database's certificate" },
]
const INSTALL_SECONDS = 900
const SEARCHED = `${process.env['PATH'] ?? ''}:/usr/local/sbin:/usr/sbin:/sbin`

/** Installs what is missing of the host's packages, after saying which and why. */
export async function ensurePackages(
  withEngine: boolean,
  say: (line: string) => void,
): Promise<void> {
  const missing = await findMissing([...(withEngine ? forEngine : []), ...forImages])
  if (missing.length === 0) return
  const names = missing.map((one) => one.name)
  say(
    `installing Debian packages outside the cache folder: ${missing.map((one) => `${one.name} (${one.why})`).join(', ')}`,
  )
  if (process.getuid?.() !== 0) {
    throw new LabError(
      `These Debian packages are missing and installing them needs root: apt-get install ${names.join(' ')}`,
    )
  }
  const env = { DEBIAN_FRONTEND: 'noninteractive' }
  const options = { env, timeoutSeconds: INSTALL_SECONDS, log: 'packages.log' }
  const apt = ['apt-get', '-q', '-y', '-o', 'DPkg::Lock::Timeout=120']
  await attempt([...apt, 'update'], options) // an old list may still do; installing tells
  const installed = await attempt([...apt, 'install', '--no-install-recommends', ...names], options)
  if (installed.code !== 0) {
    const reason = installed.stderr.trim().split('\n').at(-1) ?? ''
    throw new LabError(`apt-get could not install ${names.join(' ')}: ${reason}`)
  }
}

async function findMissing(wanted: readonly Package[]): Promise<Package[]> {
  const found = await Promise.all(
    wanted.map((one) =>
      succeeds(['sh', '-c', 'command -v "$0"', one.program], { env: { PATH: SEARCHED } }),
    ),
  )
  return wanted.filter((_, at) => !found[at])
}

/** Raises the limits of file watching where they are too low for a node, and says so. */
export async function ensureWatchLimits(say: (line: string) => void): Promise<void> {
  for (const [name, least] of [
    ['fs.inotify.max_user_instances', 512],
    ['fs.inotify.max_user_watches', 131_072],
  ] as const) {
    const now = Number(await run(['sysctl', '-n', name]))
    if (now >= least) continue
    if (await succeeds(['sysctl', '-q', '-w', `${name}=${least}`])) {
      say(
        `raised ${name} from ${now} to ${least} until the next start of the machine (a node watches many files)`,
      )
    }
  }
}
