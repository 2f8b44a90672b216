import { openCluster } from '../../../src/cluster/cluster.ts'
import { cancelSignal, inRealWorld } from '../../../src/edge/world.ts'
import { plainVoice, showProgress } from '../../../src/edge/terminal.ts'
import { deploy } from '../../../src/rollout/deploy.ts'
import { optionsOf } from './stage.ts'
import { releaseOf } from './releases.ts'

/** A deploy in a process of its own, to be killed: `node deployer.ts <kubeconfig> <namespace> <image> <release>`. */
const [, , kubeconfig = '', namespace = '', image = '', identity = ''] = process.argv
const signal = cancelSignal()
const progress = showProgress(process.stderr, plainVoice)
try {
  const cluster = await openCluster({ kubeconfig, context: '' }, signal)
  const objects = releaseOf(identity, { namespace, image })
  const result = await inRealWorld({ progress, signal }, (world) =>
    deploy(optionsOf(namespace, { identity, objects }), cluster, world),
  )
  process.stdout.write(`${result.outcome}\n`)
} catch (error) {
  process.stdout.write(`${signal.aborted ? 'cancelled' : String(error)}\n`)
  process.exitCode = signal.aborted ? 130 : 2
}
