/** A Go module of lab/tools and the programs that are compiled from it. */
export interface GoModule {
  /** As it reads in the progress: "compiling Helm". */
  readonly title: string
  /** Build tags: what makers let one leave out of their programs. */
  readonly tags?: string
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
const metrics = 'sigs.k8s.io/metrics-server'

export const goModules = {
  own: {
    title: "the lab's own small programs",
    programs: {
      runtime: { package: './runtime', set: ['main.version=VERSION'] },
      pause: { package: './pause', set: ['main.version=VERSION'] },
    },
  },
  buildkit: {
    title: 'BuildKit',
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
    title: 'buildx',
    programs: {
      buildx: {
        package: 'github.com/docker/buildx/cmd/buildx',
        module: 'github.com/docker/buildx',
        set: ['github.com/docker/buildx/version.Version=VERSION'],
      },
    },
  },
  kubernetes: {
    title: 'Kubernetes',
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
    title: 'etcd',
    programs: {
      etcd: { package: 'go.etcd.io/etcd/server/v3', module: 'go.etcd.io/etcd/server/v3' },
    },
  },
  coredns: {
    title: 'CoreDNS',
    programs: {
      coredns: { package: 'github.com/coredns/coredns', module: 'github.com/coredns/coredns' },
    },
  },
  storage: {
    title: 'the provisioner of volumes',
    programs: {
      'local-path-provisioner': {
        package: 'github.com/rancher/local-path-provisioner',
        module: 'github.com/rancher/local-path-provisioner',
      },
    },
  },
  cluster: {
    title: 'kind, kustomize and kubeconform',
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
  helm: {
    title: 'Helm',
    programs: {
      helm: {
        package: 'helm.sh/helm/v4/cmd/helm',
        module: 'helm.sh/helm/v4',
        set: ['helm.sh/helm/v4/internal/version.version=VERSION'],
      },
    },
  },
  supply: {
    title: 'syft and grype',
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
    title: 'act and actionlint',
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
  compose: {
    title: 'Docker Compose',
    programs: {
      'docker-compose': {
        package: 'github.com/docker/compose/v5/cmd',
        module: 'github.com/docker/compose/v5',
        set: ['github.com/docker/compose/v5/internal.Version=VERSION'],
      },
    },
  },
  metrics: {
    title: 'metrics-server',
    programs: { 'metrics-server': { package: `${metrics}/cmd/metrics-server`, module: metrics } },
  },
  policies: {
    title: 'the enforcement of network policies',
    programs: {
      policies: {
        package: '.',
        module: 'sigs.k8s.io/kube-network-policies',
        set: ['main.version=VERSION'],
      },
    },
  },
  secrets: {
    title: 'the External Secrets operator',
    programs: {
      'external-secrets': {
        package: 'github.com/external-secrets/external-secrets',
        module: 'github.com/external-secrets/external-secrets',
      },
    },
  },
  monitoring: {
    title: 'Prometheus',
    // Of all the ways to find targets only the one that is used: half as much to compile.
    tags: 'remove_all_sd,enable_kubernetes_sd',
    programs: {
      promtool: {
        package: 'github.com/prometheus/prometheus/cmd/promtool',
        module: 'github.com/prometheus/prometheus',
        set: ['github.com/prometheus/common/version.Version=VERSION'],
      },
      prometheus: {
        package: 'github.com/prometheus/prometheus/cmd/prometheus',
        module: 'github.com/prometheus/prometheus',
        set: ['github.com/prometheus/common/version.Version=VERSION'],
      },
    },
  },
  probe: {
    title: 'the blackbox exporter',
    programs: {
      'blackbox-exporter': {
        package: 'github.com/prometheus/blackbox_exporter',
        module: 'github.com/prometheus/blackbox_exporter',
        set: ['github.com/prometheus/common/version.Version=VERSION'],
      },
    },
  },
  ingress: {
    title: 'Traefik',
    programs: {
      traefik: {
        package: 'github.com/traefik/traefik/v3/cmd/traefik',
        module: 'github.com/traefik/traefik/v3',
        set: ['github.com/traefik/traefik/v3/pkg/version.Version=VERSION'],
      },
    },
  },
  signing: {
    title: 'cosign',
    programs: {
      cosign: {
        package: 'github.com/sigstore/cosign/v3/cmd/cosign',
        module: 'github.com/sigstore/cosign/v3',
        set: ['sigs.k8s.io/release-utils/version.gitVersion=VERSION'],
      },
    },
  },
  kwok: {
    title: 'kwok',
    programs: { kwok: { package: 'sigs.k8s.io/kwok/cmd/kwok', module: 'sigs.k8s.io/kwok' } },
  },
  registry: {
    title: 'the registries that our client is tested against',
    programs: {
      distribution: {
        package: 'github.com/distribution/distribution/v3/cmd/registry',
        module: 'github.com/distribution/distribution/v3',
        set: ['github.com/distribution/distribution/v3/version.version=VERSION'],
      },
      'referrers-registry': { package: './referrers' },
    },
  },
} as const satisfies Record<string, GoModule>
