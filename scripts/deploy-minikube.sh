#!/usr/bin/env bash
# Brings the application up in Minikube: the development overlay with images built here. Run it again after a change; what is
# as it should be stays as it is.
#
#   scripts/deploy-minikube.sh [--plan] [--profile NAME] [--context NAME] [--namespace NAME] [--image NAME=REFERENCE]...
#
#   --plan                  say what would be done and which objects would be applied; change nothing
#   --profile NAME          the Minikube profile (minikube)
#   --context NAME          a context of the kubeconfig instead of the profile's. Minikube is left alone then: the cluster must
#                           have an IngressClass `nginx` and a default StorageClass, as Minikube has, and every image is named
#   --namespace NAME        where to deploy to (todo-app-dev)
#   --image NAME=REFERENCE  take this image for NAME instead of building it, such as backend=ghcr.io/me/backend@sha256:…
set -euo pipefail

readonly IMAGES='frontend backend mcp-server ai-agent database local-model'
readonly WORKLOADS='statefulset/postgresql job/database-migrate deployment/local-model deployment/mcp-server
  deployment/ai-agent deployment/backend deployment/frontend'
readonly INGRESS_CLASS=nginx
readonly READY_SECONDS=300
cd "$(dirname "$0")/.."

profile=minikube
context=''
namespace=todo-app-dev
given=''
plan=''

say() { echo "deploy-minikube: $*"; }
die() {
  echo "deploy-minikube: $*" >&2
  exit 1
}

while (($# > 0)); do
  case $1 in
    --plan) plan=yes ;;
    --profile | --context | --namespace | --image)
      [[ -n ${2:-} ]] || die "$1 needs a value; see the head of scripts/deploy-minikube.sh"
      case $1 in
        --profile) profile=$2 ;;
        --context) context=$2 ;;
        --namespace) namespace=$2 ;;
        --image) given="$given $2" ;;
      esac
      shift
      ;;
    *) die "unknown option $1; it knows --plan, --profile, --context, --namespace and --image" ;;
  esac
  shift
done
minikube=yes
[[ -z $context ]] || minikube=''
context=${context:-$profile}

# --- a step that changes something: done, or said with --plan ---
change() {
  if [[ -n $plan ]]; then
    echo "  would run: $*"
  else
    "$@"
  fi
}

kube() { kubectl --context "$context" "$@"; }
change_kube() { change kubectl --context "$context" "$@"; }

# need PROGRAM WHERE-TO-GET-IT. A plan goes on without it.
need() {
  command -v "$1" >/dev/null && return
  [[ -n $plan && $1 != kubectl ]] || die "$1 is not on PATH; get it from $2"
  say "$1 is not on PATH: the deploy will need it ($2)"
}

# --- images ---

# The reference that was given for an image, or nothing.
given_image() {
  local pair
  for pair in $given; do
    [[ $pair != "$1="* ]] || echo "${pair#*=}"
  done
}

images_to_build() {
  local name
  for name in $IMAGES; do
    [[ -n $(given_image "$name") ]] || echo "$name"
  done
}

check_given() {
  local pair
  for pair in $given; do
    [[ " $IMAGES " == *" ${pair%%=*} "* && $pair == *=?* ]] ||
      die "--image $pair: it must be NAME=REFERENCE with NAME one of $IMAGES"
  done
}

# An image is named by its content: a changed one rolls its pods, the same one does not, and the node needs no registry.
built_image() {
  if [[ -n $plan ]]; then
    echo "todo/$1:content-hash"
  else
    local id
    id=$(docker image inspect --format '{{.Id}}' "todo/$1")
    id=${id#sha256:}
    echo "todo/$1:${id:0:12}"
  fi
}

build_images() {
  local name image there=''
  # shellcheck disable=SC2086 # the names are words
  change docker buildx bake --load $1
  [[ -n $plan ]] || there=$(minikube image ls --profile "$profile")
  for name in $1; do
    image=$(built_image "$name")
    if [[ $there == *"$image"* ]]; then
      say "$image is in Minikube already"
      continue
    fi
    change docker tag "todo/$name" "$image"
    change minikube image load --profile "$profile" "$image"
  done
}

# --- Minikube: only where no other context was named ---

prepare_minikube() {
  if [[ -z $plan ]]; then
    minikube status --profile "$profile" >/dev/null 2>&1 ||
      die "Minikube's profile $profile is not running; start it with: minikube start --profile $profile --memory 4g"
  fi
  local addon
  for addon in ingress metrics-server; do
    change minikube addons enable "$addon" --profile "$profile"
  done
  # Its webhook refuses every Ingress until it runs.
  change_kube --namespace ingress-nginx rollout status deployment/ingress-nginx-controller --timeout "${READY_SECONDS}s"
}

check_cluster() {
  kube version >/dev/null 2>&1 ||
    die "the context $context does not answer; look at: kubectl config get-contexts"
  kube get ingressclass "$INGRESS_CLASS" >/dev/null 2>&1 ||
    die "the cluster has no IngressClass $INGRESS_CLASS; with Minikube: minikube addons enable ingress"
  kube get storageclass --output yaml | grep -q 'is-default-class: "true"' ||
    die 'the cluster has no default StorageClass for the database; with Minikube: minikube addons enable default-storageclass'
  kube get apiservice v1beta1.metrics.k8s.io >/dev/null 2>&1 ||
    say 'the cluster has no metrics server: all runs, but nothing is scaled by load'
}

# --- the manifests ---

image_entry() {
  local name=$1 reference=$2
  echo "  - name: $name"
  if [[ $reference == *@sha256:* ]]; then
    printf '    newName: %s\n    digest: %s\n' "${reference%@*}" "${reference#*@}"
  else
    printf '    newName: %s\n    newTag: "%s"\n' "${reference%:*}" "${reference##*:}"
  fi
}

# The development overlay with these images, and an Ingress for any host: Minikube's address has no name.
write_kustomization() {
  local name reference
  cat <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: $namespace
resources: [../overlays/development]
patches:
  - target: { kind: Ingress, name: todo-app }
    patch: |
      - { op: remove, path: /spec/rules/0/host }
      - { op: add, path: /spec/ingressClassName, value: $INGRESS_CLASS }
images:
YAML
  for name in $IMAGES; do
    reference=$(given_image "$name")
    image_entry "$name" "${reference:-$(built_image "$name")}"
  done
}

render() {
  cp -r k8s "$work/k8s"
  mkdir "$work/k8s/minikube"
  write_kustomization >"$work/k8s/minikube/kustomization.yaml"
  kubectl kustomize "$work/k8s/minikube" >"$work/objects.yaml"
}

list_objects() {
  awk '/^kind: /{kind=$2} /^metadata:/{inside=1} inside && /^  name: /{print "  would apply: " kind " " $2; inside=0}' "$1"
}

# A Job can't be changed, and this one may run again at any time: a migration that is applied already is passed over.
apply() {
  kube delete job/database-migrate --namespace "$namespace" --ignore-not-found --wait >/dev/null
  kube apply --server-side --force-conflicts --field-manager deploy-minikube --filename "$work/objects.yaml" >"$work/applied"
  say "$(wc -l <"$work/applied" | tr -d ' ') objects applied to $namespace of $context"
}

wait_for() {
  local ended='{range .status.conditions[*]}{.type}={.status} {end}'
  if [[ $1 != job/* ]]; then
    kube rollout status "$1" --namespace "$namespace" --timeout "${READY_SECONDS}s" >/dev/null
    return
  fi
  local end=$((SECONDS + READY_SECONDS))
  while ((SECONDS < end)); do
    case $(kube get "$1" --namespace "$namespace" --output "jsonpath=$ended") in
      *Complete=True*) return 0 ;;
      *Failed=True*) return 1 ;;
    esac
    sleep 2
  done
  return 1
}

explain() {
  echo "deploy-minikube: $1 did not become ready; what the cluster says:" >&2
  kube get pods --namespace "$namespace" >&2
  kube get events --namespace "$namespace" --field-selector type=Warning --sort-by .lastTimestamp 2>/dev/null | tail -n 8 >&2
  exit 1
}

print_address() {
  if [[ -z $minikube ]]; then
    say "it runs in $namespace of $context; open it with: kubectl --context $context --namespace $namespace port-forward service/frontend-service 3000"
    return
  fi
  say "it runs: http://$(minikube ip --profile "$profile")"
  say "where Minikube runs in Docker on macOS or Windows, run \"minikube tunnel --profile $profile\" and open http://127.0.0.1"
}

check_given
need kubectl https://kubernetes.io/docs/tasks/tools/
build=$(images_to_build | tr '\n' ' ')
[[ -n $minikube || -z $build ]] ||
  die "with --context every image has to be named; --image is missing for: $build"
[[ -z $minikube ]] || need minikube https://minikube.sigs.k8s.io/docs/start/
[[ -z $build ]] || need docker https://docs.docker.com/engine/install/

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

[[ -z $minikube ]] || prepare_minikube
[[ -n $plan ]] || check_cluster
[[ -z $build ]] || build_images "$build"
render
if [[ -n $plan ]]; then
  list_objects "$work/objects.yaml"
  say "a plan: nothing was changed in $context"
  exit 0
fi
apply
for workload in $WORKLOADS; do
  wait_for "$workload" || explain "$workload"
done
print_address
