# shellcheck shell=bash
# Where the database is, and how PostgreSQL's programs are run there: on this machine, in the container of docker
# compose, or in a pod. A password never leaves the place where it is read, and is in no argument.
# Who sources this has set `tool`, and sets `work`, a private folder, before anything is opened.
# shellcheck disable=SC2034,SC2154

place_options='  Which database:
  (nothing)          the one of the environment: DATABASE_URL, or DATABASE_URL_FILE with the path of a file that holds it
  --url-file FILE    the one whose URL is in this file. Only its owner should be able to read it
  --compose          the service "database" of docker compose in the folder you are in
  --namespace NAME   the one of a namespace of Kubernetes: its PostgreSQL, or the external one that its migrations use
  --context NAME     context of kubectl, with --namespace
  --image IMAGE      image with PostgreSQL'"'"'s programs for an external one (that of the migrations), with --namespace
  --database NAME    another database of the same server'

# A pod that was left behind ends by itself after this time; a backup must not take longer.
readonly POD_SECONDS=14400
readonly POD_START_SECONDS=120

say() { echo "$tool: $*"; }
fail() {
  echo "$tool: $1" >&2
  exit 1
}

kind=here namespace='' context=() image='' database=()
# Takes one option of the place off the arguments: sets `taken` to how many words it was.
take_place_option() {
  taken=2
  case $1 in
  --url-file | --namespace | --context | --image | --database)
    [[ -n ${2:-} ]] || fail "$1 needs a value; --help shows all."
    ;;&
  --url-file)
    [[ -r $2 ]] || fail "--url-file names $2, which cannot be read."
    DATABASE_URL_FILE=$(realpath "$2")
    export DATABASE_URL_FILE
    ;;
  --compose) kind=compose taken=1 ;;
  --namespace) kind=pod namespace=$2 ;;
  --context) context=(--context "$2") ;;
  --image) image=$2 ;;
  --database) database=("$2") ;;
  *) fail "\"$1\" is not known; --help shows all." ;;
  esac
}

# Runs a command there.
at_place() {
  case $kind in
  here) "$@" ;;
  compose) docker compose exec -T database "$@" ;;
  pod) kube exec --stdin "$pod" --container "$container" -- "$@" ;;
  esac
}

kube() { "${KUBECTL:-kubectl}" "${context[@]}" --namespace "$namespace" "$@"; }

# open_place [FILE to take along]: brings our parts there, into a private folder.
open_place() {
  [[ $kind != pod ]] || find_pod
  [[ $kind != here || -n ${DATABASE_URL:-}${DATABASE_URL_FILE:-} ]] ||
    fail 'which database? Set DATABASE_URL, or use --url-file, --compose or --namespace; --help shows all.'
  mkdir "$work/parts"
  cp "$(dirname "${BASH_SOURCE[0]}")"/there/* "$@" "$work/parts"
  there=$(at_place mktemp -d 2>"$work/errors") || fail "there is no way to the database's programs: $(head -n 3 "$work/errors")"
  tar --create --directory "$work/parts" . | at_place tar --extract --no-same-owner --directory "$there" 2>"$work/errors" ||
    fail "our programs could not be brought to the database: $(head -n 3 "$work/errors")"
}

# run_there PROGRAM ARGUMENTS
run_there() { at_place bash "$there/$1" "${@:2}" "${database[@]}"; }

close_place() {
  [[ -z ${there:-} ]] || at_place rm -rf -- "$there" >/dev/null 2>&1 || true
  [[ -z ${own_pod:-} ]] || kube delete pod "$own_pod" --grace-period=1 --wait=false >/dev/null 2>&1 || true
}

# PostgreSQL's own pod where there is one; else a pod of ours, which is given what the migrations are given.
find_pod() {
  command -v "${KUBECTL:-kubectl}" >/dev/null || fail 'there is no kubectl here: install it, or name it in KUBECTL.'
  pod=$(kube get pods --selector app.kubernetes.io/name=postgresql --field-selector status.phase=Running \
    --output 'jsonpath={.items[0].metadata.name}' 2>"$work/errors") || {
    grep -q 'out of bounds' "$work/errors" || fail "the namespace $namespace cannot be looked at: $(head -n 1 "$work/errors")"
  }
  container=postgresql
  [[ -z $pod ]] || return 0
  local job secret
  job=$(kube get jobs --selector app.kubernetes.io/name=database-migrate --sort-by=.metadata.creationTimestamp \
    --output 'jsonpath={range .items[*]}{.spec.template.spec.containers[0].image}{" "}{.spec.template.spec.volumes[*].secret.secretName}{"\n"}{end}' |
    tail -n 1)
  image=${image:-${job%% *}}
  secret=${job#* } secret=${secret%% *}
  [[ -n $image ]] || fail "the namespace $namespace has neither a PostgreSQL nor a migration to learn its database from: name the database image with --image."
  make_pod "${secret:-todo-secrets}"
}

make_pod() {
  local secret=$1
  own_pod=$tool-$(date -u +%Y%m%d%H%M%S)-$$
  pod=$own_pod container=client
  # Called as the migration is, since the network policies let that one to the database.
  kube create --filename - >/dev/null 2>"$work/errors" <<POD || fail "the pod for the programs was refused: $(head -n 3 "$work/errors")"
apiVersion: v1
kind: Pod
metadata:
  name: $own_pod
  labels:
    app.kubernetes.io/name: database-migrate
    app.kubernetes.io/component: $tool
    app.kubernetes.io/managed-by: todo-deploy
spec:
  restartPolicy: Never
  activeDeadlineSeconds: $POD_SECONDS
  automountServiceAccountToken: false
  enableServiceLinks: false
  securityContext:
    runAsNonRoot: true
    runAsUser: 10001
    runAsGroup: 10001
    fsGroup: 10001
    seccompProfile: { type: RuntimeDefault }
  containers:
    - name: client
      image: $image
      command: [sleep, "$POD_SECONDS"]
      env:
        - { name: DATABASE_URL_FILE, value: /run/secrets/todo/DATABASE_URL }
      resources:
        requests: { cpu: 50m, memory: 64Mi }
        limits: { cpu: "1", memory: 512Mi }
      securityContext:
        allowPrivilegeEscalation: false
        readOnlyRootFilesystem: true
        capabilities: { drop: [ALL] }
      volumeMounts:
        - { name: tmp, mountPath: /tmp }
        - { name: secrets, mountPath: /run/secrets/todo, readOnly: true }
  volumes:
    - { name: tmp, emptyDir: { sizeLimit: 64Mi } }
    - name: secrets
      secret:
        secretName: $secret
        defaultMode: 0440
        items: [{ key: DATABASE_URL, path: DATABASE_URL }]
POD
  kube wait --for=condition=Ready "pod/$own_pod" --timeout="${POD_START_SECONDS}s" >/dev/null 2>"$work/errors" ||
    fail "the pod for the programs did not start within $POD_START_SECONDS s: $(kube get events --field-selector "involvedObject.name=$own_pod,type=Warning" \
      --output 'jsonpath={.items[-1:].message}' 2>/dev/null)"
}
