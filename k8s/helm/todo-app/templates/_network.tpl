{{/* Selectors of several workloads at once. */}}

{{/* The pods that may speak to PostgreSQL; `verify` is the probe of the action of that name. */}}
{{- define "network.databaseClients" -}}
matchExpressions:
  - key: app.kubernetes.io/name
    operator: In
    values: [backend, mcp-server, database-migrate, verify]
{{- end }}

{{/* The pods behind the four Services. */}}
{{- define "network.services" -}}
matchExpressions:
  - key: app.kubernetes.io/name
    operator: In
    values: [frontend, backend, mcp-server, ai-agent]
{{- end }}

{{/* With monitoring, each service lets the exporter in too. */}}
{{- define "network.fromExporter" -}}
{{- if .Values.global.monitoring.enabled -}}
- from:
    - podSelector:
        matchLabels:
          app.kubernetes.io/name: health-exporter
  ports:
    - protocol: TCP
      port: http
{{- end }}
{{- end }}
