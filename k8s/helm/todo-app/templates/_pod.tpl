{{/*
Parts that every pod of the stack has in common. FACTS as in _labels.tpl; `image` is the name of an image of the release and
`secrets` the list of keys of the Secret that the pod may see.
*/}}

{{/* Settings of the pod: an account without a token, a numbered user, no privilege. */}}
{{- define "pod.settings" -}}
serviceAccountName: {{ .name }}
automountServiceAccountToken: false
enableServiceLinks: false
terminationGracePeriodSeconds: {{ .grace }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  {{- with .volumeOwnership }}
  fsGroupChangePolicy: {{ . }}
  {{- end }}
  seccompProfile:
    type: RuntimeDefault
{{- end }}

{{/* What a container may do: nothing. */}}
{{- define "pod.containerSecurity" -}}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities:
    drop: [ALL]
{{- end }}

{{/* Requests and limits: the central ones, and over them those of the chart or of the part in `own`. */}}
{{- define "pod.resources" -}}
resources:
  {{- mergeOverwrite (deepCopy .in.Values.global.resources) (.own | default dict) | toYaml | nindent 2 }}
{{- end }}

{{/*
The only container that sees the Secret. The workload gets a copy in memory: the values it started with, whatever happens to
the Secret while it runs. -L: a Secret volume is made of links; -f: the copies are read-only, and this container runs again
when the pod's sandbox is made anew.
*/}}
{{- define "pod.preloadSecrets" -}}
{{- if .secrets -}}
initContainers:
  - name: preload-secrets
    image: {{ include "names.image" (dict "name" .image "in" .in) }}
    command:
      - cp
      - -fL
      {{- range .secrets }}
      - /run/secrets/source/{{ . }}
      {{- end }}
      - /run/secrets/todo/
    resources:
      requests:
        cpu: 10m
        memory: 16Mi
      limits:
        cpu: 500m
        memory: 64Mi
    {{- include "pod.containerSecurity" . | nindent 4 }}
    volumeMounts:
      - name: secret-source
        mountPath: /run/secrets/source
        readOnly: true
      - name: secrets
        mountPath: /run/secrets/todo
{{- end }}
{{- end }}

{{/* Files, not environment variables: they are in no process listing or crash dump. Only the keys it needs. */}}
{{- define "pod.secretPaths" -}}
{{- range .secrets }}
- name: {{ . }}_FILE
  value: /run/secrets/todo/{{ . }}
{{- end }}
{{- end }}

{{- define "pod.secretMount" -}}
{{- if .secrets -}}
- name: secrets
  mountPath: /run/secrets/todo
  readOnly: true
{{- end }}
{{- end }}

{{- define "pod.secretVolumes" -}}
{{- if .secrets -}}
- name: secrets
  emptyDir:
    medium: Memory
    sizeLimit: 1Mi
- name: secret-source
  secret:
    secretName: {{ include "names.secret" .in }}
    defaultMode: 288 # 0440
    items:
      {{- range .secrets }}
      - key: {{ . }}
        path: {{ . }}
      {{- end }}
{{- end }}
{{- end }}
