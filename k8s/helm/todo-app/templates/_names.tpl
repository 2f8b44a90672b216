{{/*
Names that follow from content: a changed value is another object, so it rolls the pods, and a rollback brings back the values
that its pods were started with. The suffix is computed as Kustomize does it, which leaves the name out: so both give an object
the same name.
*/}}

{{/* `-` and ten characters for what the given dictionary holds. */}}
{{- define "names.suffix" -}}
-{{ merge (dict "name" "") . | toJson | sha256sum | trunc 10 | replace "0" "g" | replace "1" "h" | replace "3" "k" | replace "a" "m" | replace "e" "t" }}
{{- end }}

{{/* Of a ConfigMap, given its `name` and its `data`. */}}
{{- define "names.configMap" -}}
{{ .name }}{{ include "names.suffix" (dict "kind" "ConfigMap" "data" .data) }}
{{- end }}

{{/* Of the Secret that the workloads read: made by this chart where there are values for it, else provided from outside. */}}
{{- define "names.secret" -}}
{{- with .Values.global.secrets -}}
{{ .name }}
{{- if .values }}
{{- include "names.suffix" (dict "kind" "Secret" "type" "Opaque" "data" (include "secrets.data" .values | fromYaml)) }}
{{- end }}
{{- end }}
{{- end }}

{{/* Values as the data of a Secret, in lines of 70 characters as Kustomize writes them. */}}
{{- define "secrets.data" -}}
{{- range $key, $value := . }}
{{- $encoded := b64enc $value }}
{{ $key }}: {{ ternary $encoded (regexReplaceAll ".{1,70}" $encoded "${0}\n") (lt (len $encoded) 70) | toJson }}
{{- end }}
{{- end }}

{{/* Reference of an image, given its `name` and `in`. */}}
{{- define "names.image" -}}
{{- $missing := printf "global.images.%s is missing: give the images of a release with --values (see docs/helm.md)" .name -}}
{{- required $missing (get .in.Values.global.images .name) }}
{{- end }}
