{{/*
A stateless HTTP service and all that belongs to it. The caller, one subchart each, gives FACTS of its image:
  name, component  as in _labels.tpl; the name is that of the Deployment and of the image too
  service, port    the Service and its port
  alive, ready     paths of the probes: no dependencies, and with dependencies
  secrets          keys of the Secret that it reads, each as a file named by KEY_FILE
  scales           whether load may add replicas
  probed           whether its readiness is a metric
  in               the context of the subchart
What people may choose comes from the values: config, resources, autoscaling.
*/}}
{{- define "workload" -}}
{{ include "workload.account" . }}
---
{{ include "workload.service" . }}
{{- if .in.Values.config }}
---
{{ include "workload.config" . }}
{{- include "workload.configsKept" . }}
{{- end }}
---
{{ include "workload.deployment" . }}
---
{{ include "workload.disruption" . }}
{{- if and .scales .in.Values.global.autoscaling.enabled }}
---
{{ include "workload.autoscaling" . }}
{{- end }}
{{- end }}

{{- define "workload.account" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ .name }}
  namespace: {{ .in.Release.Namespace }}
  labels: {{- include "labels.object" . | nindent 4 }}
automountServiceAccountToken: false
{{- end }}

{{- define "workload.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ .service }}
  namespace: {{ .in.Release.Namespace }}
  labels: {{- include "labels.object" . | nindent 4 }}
  {{- if and .probed .in.Values.global.monitoring.enabled }}
  annotations:
    prometheus.io/probe: 'true'
    prometheus.io/path: {{ .ready }}
  {{- end }}
spec:
  selector: {{- include "labels.selector" . | nindent 4 }}
  ports:
    - name: http
      port: {{ .port }}
      targetPort: http
      appProtocol: http
{{- end }}

{{- define "workload.config" -}}
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ include "workload.configName" . }}
  namespace: {{ .in.Release.Namespace }}
  labels: {{- include "labels.object" . | nindent 4 }}
data: {{- .in.Values.config | toYaml | nindent 2 }}
{{- end }}

{{- define "workload.configName" -}}
{{ include "names.configMap" (dict "name" (printf "%s-config" .name) "data" .in.Values.config) }}
{{- end }}

{{/*
The ConfigMaps of the revisions that the Deployment keeps. Without them, a pod that an upgrade has still to replace could not start
again, while the upgrade goes on or after it got stuck, and `kubectl rollout undo` would fail. Rendering without a cluster finds none.
*/}}
{{- define "workload.configsKept" -}}
{{- $known := dict (include "workload.configName" .) true -}}
{{- range (lookup "apps/v1" "ReplicaSet" .in.Release.Namespace "").items }}
{{- if eq (dig "metadata" "labels" "app.kubernetes.io/name" "" .) $.name }}
{{- range (index .spec.template.spec.containers 0).envFrom }}
{{- $config := lookup "v1" "ConfigMap" $.in.Release.Namespace .configMapRef.name }}
{{- if and $config (not (hasKey $known .configMapRef.name)) }}
{{- $_ := set $known .configMapRef.name true }}
---
apiVersion: v1
kind: ConfigMap
metadata:
  name: {{ .configMapRef.name }}
  namespace: {{ $.in.Release.Namespace }}
  labels: {{- include "labels.object" $ | nindent 4 }}
data: {{- $config.data | toYaml | nindent 2 }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}
{{- end }}

{{- define "workload.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ .name }}
  namespace: {{ .in.Release.Namespace }}
  labels: {{- include "labels.object" . | nindent 4 }}
  annotations:
    # It waits by itself for what it needs: alive without, and ready with it.
    todo-deploy.dev/first-deploy: early
    {{- if and .secrets .in.Values.global.secrets.external.enabled }}
    # The Secret is read once, at the start: where Reloader is installed, it rolls the pods when the values change.
    secret.reloader.stakater.com/reload: {{ .in.Values.global.secrets.name }}
    {{- end }}
spec:
  # No `replicas`: one at first, then what the autoscaler or a person sets; a number here would undo that at each upgrade.
  revisionHistoryLimit: 3
  minReadySeconds: {{ .in.Values.global.minReadySeconds }}
  progressDeadlineSeconds: 240
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxUnavailable: 0
      maxSurge: 1
  selector:
    matchLabels: {{- include "labels.selector" . | nindent 6 }}
  template:
    metadata:
      labels: {{- include "labels.pod" . | nindent 8 }}
    spec:
      # Longer than preStop and the drain after SIGTERM (25 s) together.
      {{- include "pod.settings" (merge (dict "grace" 45) .) | nindent 6 }}
      topologySpreadConstraints:
        {{- range $topology := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
        - maxSkew: 1
          topologyKey: {{ $topology }}
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels: {{- include "labels.selector" $ | nindent 14 }}
        {{- end }}
      {{- include "pod.preloadSecrets" (merge (dict "image" .name) .) | nindent 6 }}
      containers:
        - name: {{ .name }}
          {{- include "workload.container" . | nindent 10 }}
      volumes:
        - name: tmp
          emptyDir:
            sizeLimit: 64Mi
        {{- include "pod.secretVolumes" . | nindent 8 }}
{{- end }}

{{- define "workload.container" -}}
image: {{ include "names.image" (dict "name" .name "in" .in) }}
ports:
  - name: http
    containerPort: {{ .port }}
{{- if .in.Values.config }}
envFrom:
  - configMapRef:
      name: {{ include "workload.configName" . }}
{{- end }}
{{- if .secrets }}
env: {{- include "pod.secretPaths" . | nindent 2 }}
{{- end }}
{{ include "pod.resources" (dict "in" .in "own" .in.Values.resources) }}
startupProbe:
  httpGet:
    path: {{ .alive }}
    port: http
  periodSeconds: 2
  timeoutSeconds: 2
  failureThreshold: 60
livenessProbe:
  httpGet:
    path: {{ .alive }}
    port: http
  periodSeconds: 10
  timeoutSeconds: 5
  failureThreshold: 3
readinessProbe:
  httpGet:
    path: {{ .ready }}
    port: http
  periodSeconds: 3
  timeoutSeconds: 3
  failureThreshold: 3
{{ include "workload.preStop" . }}
{{ include "pod.containerSecurity" . }}
volumeMounts:
  - name: tmp
    mountPath: /tmp
  {{- include "pod.secretMount" . | nindent 2 }}
{{- end }}

{{/* Endpoints are removed while SIGTERM is on its way: go on serving until the proxies know. */}}
{{- define "workload.preStop" -}}
lifecycle:
  preStop:
    sleep:
      seconds: 5
{{- end }}

{{/* A drained node takes one replica at a time. Pods that are not ready never block the drain. */}}
{{- define "workload.disruption" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ .name }}
  namespace: {{ .in.Release.Namespace }}
  labels: {{- include "labels.object" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "labels.selector" . | nindent 6 }}
{{- end }}
