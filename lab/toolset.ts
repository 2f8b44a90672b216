import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { LabError } from './failure.ts'
import { source } from './places.ts'

/** A Go module of lab/tools and the programs that are compiled from it. */
export interface GoModule {
  readonly programs: Readonly<Record<string, Program>>
}

export interface Program {
  /** The package that is compiled. */
  readonly package: string
  /** The module in go.mod whose version is the program's own. */
  readonly module?: string
  /** Linker settings; VERSION stands for the version. */
  readonly set?: readonly string[]
  /** Other names under which the very same file is to be called. */
  readonly alsoCalled?: readonly string[]
}

const kubernetesVersion = 'k8s.io/component-base/version'
const buildkitVersion = 'github.com/moby/buildkit/version'

/** Programs of the lab's own have the version of the lab. */
const OWN_VERSION = 'v1.0.0'

export const goModules = {
  own: {
    programs: {
      runtime: { package: './runtime', set: ['main.version=VERSION'] },
      pause: { package: './pause', set: ['main.version=VERSION'] },
    },
  },
  buildkit: {
    programs: {
      buildkitd: {
        package: 'github.com/moby/buildkit/cmd/buildkitd',
        module: 'github.com/moby/buildkit',
        set: [`${buildkitVersion}.Version=VERSION`],
      },
      buildctl: {
        package: 'github.com/moby/buildkit/cmd/buildctl',
        module: 'github.com/moby/buildkit',
        set: [`${buildkitVersion}.Version=VERSION`],
      },
    },
  },
  buildx: {
    programs: {
      buildx: {
        package: 'github.com/docker/buildx/cmd/buildx',
        module: 'github.com/docker/buildx',
        set: ['github.com/docker/buildx/version.Version=VERSION'],
      },
    },
  },
  kubernetes: {
    programs: {
      kubernetes: {
        package: '.',
        module: 'k8s.io/kubernetes',
        set: [
          `${kubernetesVersion}.gitVersion=VERSION`,
          `${kubernetesVersion}.gitMajor=1`,
          `${kubernetesVersion}.gitMinor=34`,
          `${kubernetesVersion}.gitTreeState=clean`,
          `${kubernetesVersion}.gitCommit=unknown`,
        ],
        alsoCalled: ['kubectl', 'kubeadm'],
      },
    },
  },
  etcd: {
    programs: {
      etcd: { package: 'go.etcd.io/etcd/server/v3', module: 'go.etcd.io/etcd/server/v3' },
    },
  },
  coredns: {
    programs: {
      coredns: { package: 'github.com/coredns/coredns', module: 'github.com/coredns/coredns' },
    },
  },
  storage: {
    programs: {
      'local-path-provisioner': {
        package: 'github.com/rancher/local-path-provisioner',
        module: 'github.com/rancher/local-path-provisioner',
      },
    },
  },
  cluster: {
    programs: {
      kind: { package: 'sigs.k8s.io/kind', module: 'sigs.k8s.io/kind' },
      kustomize: {
        package: 'sigs.k8s.io/kustomize/kustomize/v5',
        module: 'sigs.k8s.io/kustomize/kustomize/v5',
        set: ['sigs.k8s.io/kustomize/api/provenance.version=VERSION'],
      },
      kubeconform: {
        package: 'github.com/yannh/kubeconform/cmd/kubeconform',
        module: 'github.com/yannh/kubeconform',
        set: ['main.version=VERSION'],
      },
    },
  },
  supply: {
    programs: {
      syft: {
        package: 'github.com/anchore/syft/cmd/syft',
        module: 'github.com/anchore/syft',
        set: ['main.version=VERSION'],
      },
      grype: {
        package: 'github.com/anchore/grype/cmd/grype',
        module: 'github.com/anchore/grype',
        set: ['main.version=VERSION'],
      },
      vulndb: { package: './vulndb' },
    },
  },
  ci: {
    programs: {
      act: {
        package: 'github.com/nektos/act',
        module: 'github.com/nektos/act',
        set: ['main.version=VERSION'],
      },
      actionlint: {
        package: 'github.com/rhysd/actionlint/cmd/actionlint',
        module: 'github.com/rhysd/actionlint',
        set: ['github.com/rhysd/actionlint.version=VERSION'],
      },
    },
  },
} as const satisfies Record<string, GoModule>

export type ModuleName = keyof typeof goModules

export const moduleNames = Object.keys(goModules) as readonly ModuleName[]

export function programsOf(name: ModuleName): Readonly<Record<string, Program>> {
  return goModules[name].programs
}

export function folderOf(name: ModuleName): string {
  return join(source, 'tools', name)
}

/** The version of a program, read from its go.mod, so that it is written in one place only. */
export function versionOf(name: ModuleName, program: Program): string {
  if (program.module === undefined) return OWN_VERSION
  return requiredVersion(readFileSync(join(folderOf(name), 'go.mod'), 'utf8'), program.module)
}

export function requiredVersion(goMod: string, module: string): string {
  for (const line of goMod.split('\n')) {
    const [first, second, third] = line.trim().split(/\s+/)
    if (first === module && second !== undefined) return second
    if (first === 'require' && second === module && third !== undefined) return third
  }
  throw new LabError(
    `${module} is not required by this go.mod; run "go get -tool" for it in lab/tools.`,
  )
}

export function linkerFlags(program: Program, version: string): string {
  return [
    '-s',
    '-w',
    ...(program.set ?? []).flatMap((one) => ['-X', one.replace('VERSION', version)]),
  ].join(' ')
}
