{{/*
Labels. The caller gives FACTS: a dictionary with the `name` and the `component` of a thing, and `in`, the context of its chart.
*/}}

{{/* Of a pod, and of all that a selector may look for. Nothing of the chart: a new chart version must not roll the pods. */}}
{{- define "labels.pod" -}}
app.kubernetes.io/name: {{ .name }}
app.kubernetes.io/component: {{ .component }}
app.kubernetes.io/part-of: todo-app
{{- end }}

{{/* Of an object. */}}
{{- define "labels.object" -}}
{{ include "labels.pod" . }}
app.kubernetes.io/instance: {{ .in.Release.Name }}
app.kubernetes.io/managed-by: {{ .in.Release.Service }}
helm.sh/chart: {{ .in.Chart.Name }}-{{ .in.Chart.Version }}
{{- end }}

{{- define "labels.selector" -}}
app.kubernetes.io/name: {{ .name }}
{{- end }}
