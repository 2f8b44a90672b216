#!/usr/bin/env bash
# Renders every overlay of k8s/: as it is, with each component that it does not have, without each one that it has, and with
# the Gateway API in place of the Ingress. Checks all objects against the schemas of Kubernetes. Fails on any error.
#   KUSTOMIZE            kustomize to render with (else the one on PATH, else kubectl's)
#   KUBECONFORM          kubeconform to check with (else the one on PATH; without any, only the rendering is checked)
#   KUBECONFORM_SCHEMAS  where its schemas are, custom kinds included; for a folder of scripts/kubernetes-schemas.mjs:
#                        'FOLDER/{{.ResourceKind}}{{.KindSuffix}}.json'. Else the public ones, which lack the custom kinds.
set -euo pipefail

readonly KUBERNETES_VERSION=1.34.4
readonly ELSEWHERE=validate-elsewhere
# Kinds that Kubernetes itself does not have.
readonly CUSTOM_KINDS=HTTPRoute,ExternalSecret,SecretStore
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
schemas=(-schema-location "${KUBECONFORM_SCHEMAS:-default}")
if [[ -n $checker ]]; then
  command -v "$checker" >/dev/null || die "KUBECONFORM=$checker is not a program"
  if [[ -z ${KUBECONFORM_SCHEMAS:-} ]]; then
    echo "validate-k8s: the public schemas lack $CUSTOM_KINDS: these are NOT checked; name a folder in KUBECONFORM_SCHEMAS" >&2
    schemas+=(-skip "$CUSTOM_KINDS")
  fi
else
  echo 'validate-k8s: no kubeconform, so schemas are not checked; put it on PATH or name it in KUBECONFORM' >&2
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir "$work/rendered"
cp -r k8s "$work/k8s"
failures=0

fail() {
  echo "FAIL  $*"
  failures=$((failures + 1))
}

# render NAME FOLDER [FORBIDDEN: a text that must not be in it]
render() {
  local name=$1 folder=$2 forbidden=${3:-} rendered="$work/rendered/$1.yaml"
  if ! "${renderer[@]}" "$folder" >"$rendered"; then
    rm "$rendered"
    fail "$name: does not render"
  elif [[ -n $forbidden ]] && grep -nF "$forbidden" "$rendered"; then
    fail "$name: deployed to $ELSEWHERE, still names $forbidden"
  else
    echo "ok    $name: $(grep -c '^kind: ' "$rendered") objects"
  fi
}

# The overlay in another namespace with one component more, as a deploy puts it together and a preview environment is.
render_with() {
  local overlay=$1 component=$2 own
  own=$(sed -n 's/^namespace: *//p' "k8s/overlays/$overlay/kustomization.yaml")
  mkdir -p "$work/k8s/composed"
  cat >"$work/k8s/composed/kustomization.yaml" <<YAML
apiVersion: kustomize.config.k8s.io/v1beta1
kind: Kustomization
namespace: $ELSEWHERE
resources: [../overlays/$overlay]
components: [../components/$component]
YAML
  render "$overlay with $component" "$work/k8s/composed" "$own"
}

# render_edited NAME OVERLAY SED-EXPRESSION: the overlay with its list of components edited.
render_edited() {
  local name=$1 overlay=$2 expression=$3
  rm -rf "$work/k8s/overlays/edited"
  cp -r "k8s/overlays/$overlay" "$work/k8s/overlays/edited"
  sed -i.before "$expression" "$work/k8s/overlays/edited/kustomization.yaml"
  render "$name" "$work/k8s/overlays/edited"
}

for folder in k8s/overlays/*/; do
  overlay=$(basename "$folder")
  render "$overlay" "$work/k8s/overlays/$overlay"
  for component in k8s/components/*/; do
    component=$(basename "$component")
    if grep -q "components/$component\$" "${folder}kustomization.yaml"; then
      render_edited "$overlay without $component" "$overlay" "\#components/$component\$#d"
    else
      render_with "$overlay" "$component"
    fi
  done
  render_edited "$overlay with gateway for ingress" "$overlay" 's#components/ingress$#components/gateway#'
done

if [[ -n $checker ]] && ! "$checker" -strict -summary -kubernetes-version "$KUBERNETES_VERSION" \
    "${schemas[@]}" "$work/rendered"; then
  fail "not valid for Kubernetes $KUBERNETES_VERSION: the files named above"
fi

[[ $failures -eq 0 ]] || die "$failures of the checks above failed"
