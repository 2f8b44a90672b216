#!/usr/bin/env bash
# Renders every overlay of k8s/, alone and with each component it does not have yet, and checks the objects against the
# schemas of Kubernetes. Fails on any error.
#   KUSTOMIZE            kustomize to render with (else the one on PATH, else kubectl's)
#   KUBECONFORM          kubeconform to check with (else the one on PATH; without any, only the rendering is checked)
#   KUBECONFORM_SCHEMAS  where its schemas are (else the public ones); for a folder of scripts/kubernetes-schemas.mjs:
#                        'FOLDER/{{.ResourceKind}}{{.KindSuffix}}.json'
set -euo pipefail

readonly KUBERNETES_VERSION=1.34.4
readonly ELSEWHERE=validate-elsewhere
cd "$(dirname "$0")/.."

die() { echo "validate-k8s: $*" >&2; exit 1; }

# A tool that is named must be there: a check must not disappear because of a typing error.
renderer=()
if [[ -n ${KUSTOMIZE:-} ]]; then
  command -v "$KUSTOMIZE" >/dev/null || die "KUSTOMIZE=$KUSTOMIZE is not a program"
  renderer=("$KUSTOMIZE" build)
elif command -v kustomize >/dev/null; then renderer=(kustomize build)
elif command -v kubectl >/dev/null; then renderer=(kubectl kustomize)
else die 'needs kustomize or kubectl; put one on PATH or name it in KUSTOMIZE'
fi

checker=${KUBECONFORM:-$(command -v kubeconform || true)}
if [[ -n $checker ]]; then
  command -v "$checker" >/dev/null || die "KUBECONFORM=$checker is not a program"
else
  echo 'validate-k8s: no kubeconform, so schemas are not checked; put it on PATH or name it in KUBECONFORM' >&2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r k8s "$work/k8s"
failures=0

# check NAME FOLDER [FORBIDDEN: a text that must not be in it]
check() {
  local name=$1 folder=$2 forbidden=${3:-} rendered="$work/rendered.yaml"
  if ! "${renderer[@]}" "$folder" >"$rendered"; then
    echo "FAIL  $name: does not render"
    failures=$((failures + 1))
    return
  fi
  if [[ -n $forbidden ]] && grep -nF "$forbidden" "$rendered"; then
    echo "FAIL  $name: deployed to $ELSEWHERE, still names $forbidden"
    failures=$((failures + 1))
    return
  fi
  if [[ -n $checker ]] && ! "$checker" -strict -kubernetes-version "$KUBERNETES_VERSION" \
      -schema-location "${KUBECONFORM_SCHEMAS:-default}" "$rendered"; then
    echo "FAIL  $name: not valid for Kubernetes $KUBERNETES_VERSION"
    failures=$((failures + 1))
    return
  fi
  echo "ok    $name: $(grep -c '^kind: ' "$rendered") objects"
}

for overlay in k8s/overlays/*/; do
  overlay=$(basename "$overlay")
  own=$(sed -n 's/^namespace: *//p' "k8s/overlays/$overlay/kustomization.yaml")
  check "$overlay" "$work/k8s/overlays/$overlay"
  for component in k8s/components/*/; do
    component=$(basename "$component")
    grep -q "components/$component\$" "k8s/overlays/$overlay/kustomization.yaml" && continue
    # As a deploy does it, and in another namespace, as a preview environment is.
    mkdir -p "$work/k8s/composed"
    cat >"$work/k8s/composed/kustomization.yaml" <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: $ELSEWHERE
resources: [../overlays/$overlay]
components: [../components/$component]
YAML
    check "$overlay + $component" "$work/k8s/composed" "$own"
  done
done

[[ $failures -eq 0 ]] || die "$failures of the renderings above failed"
